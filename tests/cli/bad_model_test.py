#!/usr/bin/python3
"""Models that cannot run: one line that names the file and the node, the right exit code, nothing left behind."""

import json
import pathlib

import harness
import numpy as np
from harness import MODEL
from onnx import TensorProto, helper


class BadModelTest(harness.CliTest):
    def refuse(self, code, path, *fragments):
        """Both run and check refuse the model."""
        with self.subTest(command="run"):
            self.fail_with(code, ["run", path, "--random", "--output-dir", self.directory / "out"], *fragments)
            self.assertFalse((self.directory / "out").exists())
        with self.subTest(command="check"):
            self.assertEqual(self.soter("check", path).returncode, code)

    def test_missing(self):
        self.refuse(2, self.directory / "no.onnx", "no.onnx")

    def test_directory(self):
        self.refuse(2, self.directory, str(self.directory))

    def test_empty(self):
        path = self.directory / "empty.onnx"
        path.write_bytes(b"")
        self.refuse(2, path, "empty.onnx")

    def test_not_onnx(self):
        path = self.directory / "text.onnx"
        path.write_text("this is a text, not a network\n" * 100)
        self.refuse(2, path, "text.onnx")

    def test_truncated(self):
        whole = pathlib.Path(MODEL).read_bytes()
        for share in (0.1, 0.5, 0.99):
            path = self.directory / "cut.onnx"
            path.write_bytes(whole[:int(len(whole) * share)])
            self.refuse(2, path, "cut.onnx")

    def test_corrupt_tensor(self):
        node = helper.make_node("Gemm", ["x", "w"], ["y"], name="gemm")
        lying = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3], raw_data=bytes(44))
        graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], [lying])
        path = self.directory / "corrupt.onnx"
        path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]).SerializeToString())
        self.refuse(2, path, "corrupt.onnx", "w")

    def test_cycle(self):
        nodes = [helper.make_node("Add", ["x", "b"], ["a"], name="first"),
                 helper.make_node("Relu", ["a"], ["b"], name="second")]
        path = self.write_onnx("cycle.onnx", nodes, outputs=(("b", None),))
        self.refuse(2, path, "cycle.onnx")

    def test_unknown_value(self):
        path = self.write_onnx("loose.onnx", [helper.make_node("Relu", ["nowhere"], ["y"], name="relu")])
        self.refuse(2, path, "loose.onnx", "nowhere")

    def test_shapes_that_do_not_fit(self):
        weight = np.zeros((5, 3), np.float32)
        path = self.write_onnx("shapes.onnx", [helper.make_node("Gemm", ["x", "w"], ["y"], name="gemm")],
                               [("w", weight)])
        self.refuse(2, path, "gemm")

    def test_unsupported_operators_are_all_named(self):
        nodes = [helper.make_node("Loop", ["", "", "x"], ["a"], name="around",
                                  body=helper.make_graph([], "body", [], [])),
                 helper.make_node("NoSuchOperator", ["x"], ["y"], name="strange", domain="my.domain")]
        path = self.write_onnx("unsupported.onnx", nodes)
        self.fail_with(5, ["run", path, "--random"], "unsupported.onnx")
        done = self.soter("check", path)
        self.assertEqual(done.returncode, 5)
        for word in ("around", "Loop", "strange", "NoSuchOperator"):
            self.assertIn(word, done.stdout)
        report = json.loads(self.soter("check", path, "--json").stdout)
        self.assertFalse(report["can_run"])
        self.assertEqual(len(report["unsupported"]), 2)


class CheckTest(harness.CliTest):
    def test_good_model(self):
        text = self.succeed("check", MODEL)
        self.assertIn("can run", text)
        self.assertIn("image: float32[batch, 1, 8, 8]", text)
        report = json.loads(self.succeed("check", MODEL, "--json"))
        self.assertTrue(report["can_run"])
        self.assertEqual(report["operators"]["linear"], 4)
        per_image = 64 * 16 * 9 + 64 * 32 * 16 * 9 + 512 * 64 + 64 * 10
        self.assertEqual(report["mul_adds"], {"total": per_image, "linear": per_image})
        batch = json.loads(self.succeed("check", MODEL, "--json", "--dim", "batch=4"))
        self.assertEqual(batch["mul_adds"]["total"], 4 * per_image)

    def test_unknown_symbol(self):
        self.assertEqual(self.soter("check", MODEL, "--dim", "depth=4").returncode, 2)


if __name__ == "__main__":
    harness.main()
