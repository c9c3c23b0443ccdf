"""What the command-line tests share: run `soter`, and make sure after each test that nothing was left behind."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SOTER_BUILD_DIR", ROOT / "build"))
DIGITS = ROOT / "examples/digits"
MODEL = str(DIGITS / "digits.onnx")
IMAGES = f"image={DIGITS / 'images.npy'}"
SHARED = pathlib.Path("/dev/shm")


class CliTest(unittest.TestCase):
    """One test of the command line. `self.directory` is its own; what it starts carries a mark in its environment."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="soter-test-"))
        self.scratch = self.directory / "tmp"  # where soter puts its sockets
        self.scratch.mkdir()
        self.mark = f"SOTER_TEST_MARK={uuid.uuid4()}"
        name, value = self.mark.split("=")
        self.environment = {**os.environ, "TMPDIR": str(self.scratch), name: value}
        self.shared_before = self.shared_segments()

    def tearDown(self):
        try:
            self.wait_until(lambda: not self.processes(), "processes were left: " + str(self.processes()))
            self.assertEqual(os.listdir(self.scratch), [], "files were left in the temporary directory")
            orphans = [name for name in self.shared_segments() - self.shared_before
                       if not pathlib.Path("/proc", name.split("-")[1]).exists()]
            self.assertEqual(orphans, [], "shared segments were left")
        finally:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            shutil.rmtree(self.directory)

    def shared_segments(self):
        return {path.name for path in SHARED.glob("soter-*-*")} if SHARED.is_dir() else set()

    def processes(self, word=""):
        """The processes of this test whose command line holds `word`, oldest first."""
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                marked = self.mark.encode() in (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            except OSError:
                continue
            if marked and command and word in command:
                found.append(int(entry.name))
        return sorted(found)

    def wait_until(self, condition, message, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.fail(message)
            time.sleep(0.02)

    def soter(self, *arguments, timeout=300, **options):
        """Runs soter to its end; returns what it printed and its exit code."""
        return subprocess.run([BUILD / "soter", *map(str, arguments)], capture_output=True, text=True,
                              env=self.environment, stdin=subprocess.DEVNULL, timeout=timeout, **options)

    def start(self, *arguments):
        """Starts soter in the background."""
        return subprocess.Popen([BUILD / "soter", *map(str, arguments)], text=True, env=self.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def succeed(self, *arguments, **options):
        done = self.soter(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def run_json(self, *arguments):
        return json.loads(self.succeed("run", *arguments, "--json"))

    def fail_with(self, code, arguments, *fragments, **options):
        """Expects exit code `code`, nothing on standard output, and one line of error that holds the fragments."""
        self.check_failure(self.soter(*arguments, **options), code, *fragments)

    def check_failure(self, done, code, *fragments):
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        messages = [line for line in done.stderr.splitlines() if line.startswith("soter: ")]
        self.assertEqual(len(messages), 1, done.stderr)
        for fragment in fragments:
            self.assertIn(fragment, messages[0])

    def write_npy(self, name, array):
        path = self.directory / name
        np.save(path, array)
        return path

    def write_onnx(self, name, nodes, initializers=(), inputs=(("x", [1, 4]),), outputs=(("y", None),)):
        """Writes a small float model; `nodes` are onnx nodes, `initializers` (name, array) pairs."""
        graph = helper.make_graph(
            list(nodes), "test",
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in inputs],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in outputs],
            [numpy_helper.from_array(array, n) for n, array in initializers])
        model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
        path = self.directory / name
        path.write_bytes(model.SerializeToString())
        return path


def main():
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
