#!/usr/bin/python3
"""The planner as a user meets it: --objective latency on slow and fast accelerators, and requests that cannot be met."""

import json

import numpy as np
from onnx import helper

import harness
from harness import IMAGES, MODEL


class PlannerTest(harness.CliTest):
    def plan(self, model, *arguments):
        return json.loads(self.succeed("plan", model, "--json", "--threads", "1", *arguments))

    def wide(self):
        """Two wide products: an accelerator that takes no time for them is worth a transfer."""
        rng = np.random.default_rng(1)
        weight = lambda: (rng.normal(size=(1024, 1024)) / 32).astype(np.float32)
        nodes = [helper.make_node("Gemm", ["x", "a"], ["h"]), helper.make_node("Relu", ["h"], ["r"]),
                 helper.make_node("Gemm", ["r", "b"], ["y"])]
        return self.write_onnx("wide.onnx", nodes, [("a", weight()), ("b", weight())], [("x", [256, 1024])])

    def small(self, operator="Gemm"):
        constants = [("w", np.ones((4, 4), np.float32))] if operator == "Gemm" else []
        node = helper.make_node(operator, ["x", *[name for name, _ in constants]], ["y"])
        return self.write_onnx(f"{operator}.onnx", [node], constants)

    def test_nothing_goes_to_an_accelerator_that_is_slow(self):
        for scheme in (["verified"], ["soter", "--theta", "1"]):
            plan = self.plan(MODEL, "--scheme", *scheme, "--objective", "latency", "--accelerator-model", "0.01x")
            self.assertEqual(plan["linear"]["offloaded"], 0, scheme)
            self.assertGreater(self.plan(MODEL, "--scheme", *scheme)["linear"]["offloaded"], 0)

    def test_everything_drawn_goes_to_one_that_is_fast(self):
        fast = ["--scheme", "soter", "--check", "none", "--objective", "latency", "--accelerator-model", "tflops=1000"]
        self.assertEqual(self.plan(self.wide(), *fast, "--theta", "1")["linear"]["offloaded"], 2)
        self.assertEqual(self.plan(self.wide(), *fast, "--theta", "0.5")["linear"]["offloaded"], 1)
        self.assertEqual(self.plan(self.wide(), *fast, "--theta", "0")["linear"]["offloaded"], 0)

    def test_the_answer_does_not_depend_on_the_objective(self):
        outputs = []
        for objective in ("policy", "latency"):
            out = self.directory / objective
            self.succeed("run", MODEL, "--input", IMAGES, "--threads", "1", "--objective", objective, "--output-dir", out)
            outputs.append(np.load(next(out.glob("*.npy"))))
        np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-3, atol=1e-4)

    def test_schemes_without_a_choice_keep_their_rule(self):
        for scheme, where in (("insecure", {"accelerator"}), ("mlcapsule", {"enclave"})):
            plan = self.plan(MODEL, "--scheme", scheme, "--objective", "latency")
            self.assertEqual({node["where"] for node in plan["nodes"]}, where)

    def test_a_deadline_that_nothing_keeps_is_said(self):
        aegisdnn = ["--scheme", "aegisdnn", "--fault-rounds", "1"]
        late = self.plan(MODEL, *aegisdnn, "--deadline-ms", "0.000001")
        self.assertIs(late["deadline_kept"], False)
        self.assertIn("NOT kept", self.succeed("plan", MODEL, "--threads", "1", *aegisdnn, "--deadline-ms", "0.000001"))
        self.assertIs(self.plan(MODEL, *aegisdnn, "--deadline-ms", "100000")["deadline_kept"], True)
        self.assertIsNone(self.plan(MODEL, *aegisdnn)["deadline_kept"])
        self.fail_with(2, ["plan", MODEL, *aegisdnn, "--sdc-rate", "-0.1"], "--sdc-rate")
        self.fail_with(2, ["plan", MODEL, *aegisdnn, "--deadline-ms", "0"], "--deadline-ms")

    def test_a_long_deadline_protects_what_matters(self):
        plan = self.plan(MODEL, "--scheme", "aegisdnn", "--deadline-ms", "100000")
        self.assertEqual(plan["fault_rate"], 0)

    def test_networks_of_one_operator(self):
        for operator in ("Gemm", "Relu"):
            model = self.small(operator)
            for options in (["--scheme", "soter", "--theta", "1"], ["--scheme", "aegisdnn", "--fault-rounds", "1"],
                            ["--scheme", "verified", "--objective", "latency"], ["--scheme", "insecure"]):
                report = self.run_json(model, "--random", "--threads", "1", *options)
                self.assertEqual(report["operators"]["trusted"] + report["operators"]["accelerator"], 1, (operator, options))
                self.assertGreaterEqual(self.plan(model, *options, "--predict")["expected_ms"], 0)
            self.fail_with(2, ["run", model, "--random", "--scheme", "ennclave", "--public", model],
                           "--private-layers", "leaves no public one", "has 1" if operator == "Gemm" else "has 0")

    def test_a_public_model_of_another_shape(self):
        self.fail_with(2, ["run", MODEL, "--random", "--scheme", "ennclave", "--public", self.wide()],
                       "--public", "shares no linear operator", "there")

    def test_batches(self):
        for options in (["--scheme", "aegisdnn", "--fault-rounds", "1"], ["--scheme", "ennclave", "--public", MODEL],
                        ["--scheme", "soter", "--objective", "latency"]):
            report = self.run_json(MODEL, "--random", "--dim", "batch=8", "--threads", "1", *options)
            self.assertEqual(report["outputs"]["logits"]["shape"][0], 8)


if __name__ == "__main__":
    harness.main()
