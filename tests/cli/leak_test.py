#!/usr/bin/python3
"""The accelerator never sees a plaintext parameter of a masked operator: whatever the worker receives is recorded and
compared with the model. With all scales forced to 1 the same comparison must find them, or it could not fail."""

import harness
import numpy as np
import onnx
from harness import IMAGES, MODEL
from onnx import numpy_helper

TOLERANCE = 1e-5  # of the largest element: closer than any scale but 1 could come


def parameters():
    """The plaintext parameters of the network's linear operators, all of which theta = 1 masks."""
    model = onnx.load(MODEL)
    return {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in model.graph.initializer}


def matches(received, secret):
    """Whether `received` is `secret`, in any order of axes or layout: the sorted elements are the same."""
    if received.size != secret.size:
        return False
    a, b = np.sort(received.astype(np.float64), axis=None), np.sort(secret, axis=None)
    return np.abs(a - b).max() <= TOLERANCE * np.abs(b).max()


def hidden_in(data, secret):
    """Whether the floats of `secret` stand one after the other anywhere in `data`: small constants travel inside the
    encoding of a segment."""
    for start in range(4):
        floats = np.frombuffer(data[start:start + (len(data) - start) // 4 * 4], np.float32)
        if floats.size < secret.size:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(floats, secret.size)
        with np.errstate(all="ignore"):
            if (np.abs(windows - secret.ravel()).max(1) <= TOLERANCE * np.abs(secret).max()).any():
                return True
    return False


class LeakTest(harness.CliTest):
    def leaked(self, *options):
        """Runs the digits at theta = 1 with a recording worker; returns the names of parameters that it received."""
        record = self.directory / "record"
        address = f"unix:{self.directory}/worker"
        worker = self.start("worker", "--listen", address, "--backend", "cpu", "--record", record, "--once")
        self.assertIn("listening", worker.stdout.readline())
        self.succeed("run", MODEL, "--input", IMAGES, "--theta", "1", "--check", "fingerprint",
                     "--fingerprint-rate", "1", "--worker", address, *options)
        _, stderr = worker.communicate(timeout=30)
        self.assertEqual(worker.returncode, 0, stderr)
        received = [np.load(path) for path in record.rglob("*.npy")]
        self.assertGreaterEqual(len(list((record / "weights").glob("*.npy"))), 4, "no weights were uploaded")
        self.assertTrue(list((record / "runs").rglob("input-*.npy")), "no run was recorded")
        graphs = [path.read_bytes() for path in record.rglob("graph.bin")]
        self.assertTrue(graphs, "no segment was recorded")
        return {name for name, secret in parameters().items()
                if any(matches(tensor, secret) for tensor in received) or any(hidden_in(g, secret) for g in graphs)}

    def test_no_plaintext_parameter_is_received(self):
        self.assertEqual(self.leaked(), set())

    def test_the_comparison_finds_unmasked_parameters(self):
        self.assertEqual(self.leaked("--force-unit-scales"), set(parameters()))


if __name__ == "__main__":
    harness.main()
