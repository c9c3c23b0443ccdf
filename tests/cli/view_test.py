#!/usr/bin/python3
"""soter view: files that anybody can open, and nothing half-written when it fails."""

import harness
import numpy as np
import onnx
from harness import IMAGES, MODEL


class ViewTest(harness.CliTest):
    def test_segments_are_onnx_with_masked_weights(self):
        out = self.directory / "seen"
        text = self.succeed("view", MODEL, "-o", out, "--theta", "1", "--check", "none")
        self.assertEqual((out / "README.txt").read_text(), text)
        segments = sorted((out / "segments").glob("*/segment.onnx"))
        self.assertTrue(segments)
        shapes = sorted(tuple(tensor.dims) for path in segments for tensor in onnx.load(path).graph.initializer)
        self.assertIn((16, 1, 3, 3), shapes)
        self.assertTrue(list((out / "weights").glob("*.npy")))
        self.assertTrue(list((out / "runs").rglob("output-*.npy")))

    def test_exported_segment_computes_what_was_recorded(self):
        out = self.directory / "seen"
        self.succeed("view", MODEL, "-o", out, "--scheme", "insecure", "--input", IMAGES)
        (run,) = (out / "runs").iterdir()
        (segment,) = (out / "segments").iterdir()
        again = self.directory / "again"
        (name,) = [i.name for i in onnx.load(segment / "segment.onnx").graph.input]
        self.succeed("run", segment / "segment.onnx", "--scheme", "mlcapsule", "--output-dir", again, "--input",
                     f"{name}={IMAGES.split('=')[1]}")
        (computed,) = [np.load(path) for path in again.iterdir()]
        recorded = [np.load(path) for path in run.glob("output-*.npy")]
        self.assertTrue(any(r.shape == computed.shape and np.abs(r - computed).max() <= 1e-5 * np.abs(r).max()
                            for r in recorded))

    def test_refusals_leave_nothing(self):
        taken = self.directory / "taken"
        taken.mkdir()
        (taken / "file").write_text("mine")
        self.fail_with(2, ["view", MODEL, "-o", taken], "taken")
        self.assertEqual([path.name for path in taken.iterdir()], ["file"])
        self.fail_with(2, ["view", MODEL, "-o", self.directory / "no" / "where"])
        self.fail_with(2, ["view", MODEL, "-o", self.directory / "x", "--scheme", "mlcapsule"], "nothing")
        self.fail_with(2, ["view", MODEL, "-o", self.directory / "x", "--worker", "unix:/nowhere"], "--worker")
        self.fail_with(2, ["view", self.directory / "no.onnx", "-o", self.directory / "x"], "no.onnx")
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["taken", "tmp"])


if __name__ == "__main__":
    harness.main()
