#!/usr/bin/python3
"""The published baselines aegisdnn and ennclave, and what a placement and a modelled accelerator change, as a user meets them."""

import json

import numpy as np
import onnx
from onnx import numpy_helper

import harness
from harness import IMAGES, MODEL

FEW = ["--random", "--threads", "1"]


def initializers(path):
    return [numpy_helper.to_array(tensor) for tensor in onnx.load(str(path)).graph.initializer]


class BaselinesTest(harness.CliTest):
    def plan(self, *arguments):
        return json.loads(self.succeed("plan", MODEL, "--json", "--threads", "1", *arguments))

    def outputs(self, *arguments):
        out = self.directory / f"out{len(list(self.directory.iterdir()))}"
        self.succeed("run", MODEL, "--input", IMAGES, "--threads", "1", "--output-dir", out, *arguments)
        return np.load(next(out.glob("*.npy")))

    def public_model(self):
        """The digits network with other parameters, as a public ancestor would have."""
        model = onnx.load(MODEL)
        rng = np.random.default_rng(5)
        for tensor in model.graph.initializer:
            array = numpy_helper.to_array(tensor)
            if array.dtype == np.float32:
                changed = array + rng.normal(0, 0.02, array.shape).astype(np.float32)
                tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))
        path = self.directory / "public.onnx"
        onnx.save(model, str(path))
        return path

    def test_aegisdnn_protects_what_matters(self):
        everything = self.plan("--scheme", "aegisdnn", "--sdc-rate", "0")
        self.assertEqual(everything["fault_rate"], 0)
        self.assertGreater(everything["faults"], 0)
        for node in everything["nodes"]:
            self.assertTrue(node["where"] == "enclave" or node["fault_rate"] == 0, node)
        loose = self.plan("--scheme", "aegisdnn", "--sdc-rate", "1")
        self.assertGreaterEqual(loose["fault_rate"], 0)
        self.assertTrue(loose["predicted"])

    def test_aegisdnn_answers_as_plain_inference(self):
        want = self.outputs("--scheme", "insecure")
        for options in (["--deadline-ms", "0.001"], ["--sdc-rate", "0.01", "--fault-rounds", "2"], ["--samples", IMAGES]):
            got = self.outputs("--scheme", "aegisdnn", *options)
            np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)

    def test_a_plan_is_a_placement(self):
        plan = self.plan("--scheme", "soter", "--theta", "0.5", "--check", "none")
        path = self.directory / "plan.json"
        path.write_text(json.dumps(plan))
        where = {node["value"]: node["where"] for node in plan["nodes"]}
        for scheme in ("soter", "aegisdnn"):
            again = self.plan("--scheme", scheme, "--check", "none", "--placement", path)
            self.assertEqual({node["value"]: node["where"] for node in again["nodes"]}, where)
        self.fail_with(2, ["plan", MODEL, "--placement", MODEL], "--placement")
        self.fail_with(2, ["run", MODEL, *FEW, "--scheme", "insecure", "--placement", path], "--placement")

    def test_ennclave_sends_public_parameters_only(self):
        public, view = self.public_model(), self.directory / "view"
        self.succeed("view", MODEL, "--scheme", "ennclave", "--public", public, "--threads", "1", "-o", view)
        seen = [np.load(path) for path in (view / "weights").glob("*.npy")]
        self.assertTrue(seen)
        sizes = lambda arrays: [np.sort(array.ravel()) for array in arrays if array.dtype == np.float32 and array.size > 8]
        private, known = sizes(initializers(MODEL)), sizes(initializers(public))
        for array in sizes(seen):
            self.assertFalse(any(array.shape == other.shape and np.array_equal(array, other) for other in private))
            self.assertTrue(any(array.shape == other.shape and np.array_equal(array, other) for other in known))

    def test_ennclave_loses_what_the_private_features_knew(self):
        public = self.public_model()
        private = self.outputs("--scheme", "mlcapsule")
        mixed = self.outputs("--scheme", "ennclave", "--public", public)
        self.assertGreater(np.abs(mixed - private).max(), 1e-3)
        same = self.outputs("--scheme", "ennclave", "--public", MODEL)  # nothing is private but the last layer
        np.testing.assert_allclose(same, private, rtol=1e-3, atol=1e-4)

    def test_ennclave_options(self):
        self.fail_with(2, ["run", MODEL, *FEW, "--scheme", "ennclave"], "--public")
        self.fail_with(2, ["run", MODEL, *FEW, "--public", MODEL], "--public")
        self.fail_with(2, ["run", MODEL, *FEW, "--scheme", "ennclave", "--public", MODEL, "--private-layers", "9"],
                       "--private-layers")
        self.fail_with(2, ["run", MODEL, *FEW, "--samples", IMAGES], "--samples")
        self.fail_with(2, ["run", MODEL, *FEW, "--scheme", "aegisdnn", "--check", "freivalds"], "--check")

    def test_baselines_say_what_they_do_not_protect(self):
        for options in (["--scheme", "aegisdnn", "--fault-rounds", "1"], ["--scheme", "ennclave", "--public", MODEL]):
            self.assertIn("not checked", self.run_json(MODEL, *FEW, *options)["notice"])

    def test_a_modelled_accelerator_answers_right_and_says_so(self):
        want = self.outputs("--scheme", "insecure")
        got = self.outputs("--scheme", "insecure", "--accelerator-model", "10x", "--repeat", "3")
        np.testing.assert_array_equal(got, want)
        run = self.run_json(MODEL, *FEW, "--accelerator-model", "10x", "--repeat", "3")
        self.assertEqual(run["worker"]["backend"], "modelled")
        self.assertIn("modelled, 10x", run["worker"]["device"])
        self.assertTrue(run["verified"])
        self.assertIn("modelled", self.succeed("run", MODEL, *FEW, "--accelerator-model", "tflops=1,gbps=1,latency-us=50"))


if __name__ == "__main__":
    harness.main()
