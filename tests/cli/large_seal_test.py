#!/usr/bin/python3
"""A sealed model of more than 2 GiB: sealed in bounded memory, opened by us and by age, verified by minisign, and run.
Takes a minute or two, 5 GB of disk and 8 GB of memory; has the label `large`."""

import hashlib
import pathlib
import re
import shutil
import subprocess

import harness
import numpy as np
from onnx import TensorProto, helper

WIDTH = 24000  # 24000 x 24000 float32 is 2.15 GiB


class LargeSealTest(harness.CliTest):
    def write_model(self):
        """One MatMul, its weight beside the model as ONNX wants it beyond 2 GiB; returns the model and its input."""
        generator = np.random.default_rng(1)
        x = generator.standard_normal((1, WIDTH), np.float32)
        self.expected = np.zeros((1, WIDTH), np.float64)
        with open(self.directory / "weights.bin", "wb") as file:
            for row in range(0, WIDTH, 1000):
                block = generator.standard_normal((1000, WIDTH), np.float32)
                self.expected += x[:, row:row + 1000].astype(np.float64) @ block
                block.tofile(file)
        weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[WIDTH, WIDTH],
                             data_location=TensorProto.EXTERNAL)
        for key, value in (("location", "weights.bin"), ("offset", "0"), ("length", str(4 * WIDTH * WIDTH))):
            entry = weight.external_data.add()
            entry.key, entry.value = key, value
        graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "large",
                                  [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, WIDTH])],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, WIDTH])], [weight])
        path = self.directory / "large.onnx"
        path.write_bytes(helper.make_model(graph, ir_version=8,
                                           opset_imports=[helper.make_opsetid("", 13)]).SerializeToString())
        return path, self.write_npy("x.npy", x)

    def test_sealed_opened_and_run(self):
        model, x = self.write_model()
        lines = self.succeed("keygen", "--identity", self.directory / "identity", "--signing-key", self.directory / "key")
        recipient = next(line.split()[1] for line in lines.splitlines() if line.startswith("recipient"))
        sealed = self.directory / "large.soter"
        self.succeed("seal", model, "-o", sealed, "--recipient", recipient, "--sign", self.directory / "key",
                     "--min-scheme", "mlcapsule")
        self.assertGreater(sealed.stat().st_size, 2 << 30)
        out = self.directory / "out"
        report = self.run_json(sealed, "--identity", self.directory / "identity", "--signer", self.directory / "key.pub",
                               "--scheme", "mlcapsule", "--input", f"x={x}", "--output-dir", out)
        answer = np.load(report["outputs"]["y"]["file"])
        self.assertLess(np.abs(answer - self.expected).max() / np.abs(self.expected).max(), 1e-4)
        if shutil.which("age") and shutil.which("minisign"):
            self.check_peers(sealed)

    def check_peers(self, sealed):
        subprocess.run(["minisign", "-Vqm", sealed, "-p", self.directory / "key.pub"], check=True)
        signature = pathlib.Path(f"{sealed}.minisig").read_text()
        digest = hashlib.sha256()
        with subprocess.Popen(["age", "-d", "-i", self.directory / "identity", sealed], stdout=subprocess.PIPE) as age:
            while piece := age.stdout.read(1 << 20):
                digest.update(piece)
        self.assertEqual(re.search("sha256=([0-9a-f]{64})", signature).group(1), digest.hexdigest())


if __name__ == "__main__":
    harness.main()
