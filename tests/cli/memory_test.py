#!/usr/bin/python3
"""What lies in the enclave's memory, and how: no key once a model is open, and weights in locked pages alone that no
dump holds. Reads the memory of a process that forbids that, so it needs root; the development TEE does not resist root."""

import os
import pathlib
import re
import resource
import signal
import subprocess
import unittest

import harness
import numpy as np
import onnx
from harness import IMAGES, MODEL
from onnx import numpy_helper

ENDLESS = ["--input", IMAGES, "--scheme", "mlcapsule", "--repeat", "1000000"]


class Mapping:
    def __init__(self, start, end, flags, contents):
        self.start, self.end, self.flags, self.contents = start, end, flags, contents


def mappings(pid):
    """The readable memory of a process, with the kernel's flags."""
    found, current = [], None
    text = pathlib.Path(f"/proc/{pid}/smaps").read_text()
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in text.splitlines():
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r)", line)
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                current = (int(head.group(1), 16), int(head.group(2), 16)) if head else None
            elif line.startswith("VmFlags:") and current:
                try:
                    memory.seek(current[0])
                    contents = memory.read(current[1] - current[0])
                except (OSError, ValueError, OverflowError):
                    continue  # vvar and vsyscall
                found.append(Mapping(*current, line.split()[1:], contents))
    return found


@unittest.skipUnless(os.getuid() == 0, "reading another process's memory needs root")
class MemoryTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        lines = self.succeed("keygen", "--identity", self.directory / "identity", "--signing-key", self.directory / "key")
        recipient = next(line.split()[1] for line in lines.splitlines() if line.startswith("recipient"))
        self.sealed = self.directory / "digits.soter"
        self.succeed("seal", MODEL, "-o", self.sealed, "--recipient", recipient, "--sign", self.directory / "key")
        self.keys = ["--identity", self.directory / "identity", "--signer", self.directory / "key.pub"]
        # A bias keeps its order in memory, however weights are packed.
        tensors = [numpy_helper.to_array(t) for t in onnx.load(MODEL).graph.initializer]
        biases = [t for t in tensors if t.dtype == np.float32 and t.ndim == 1 and t.size >= 16]
        self.weights = [t.astype(np.float32).tobytes()[:64] for t in biases]
        self.assertTrue(self.weights)

    def running(self, *arguments):
        """Starts a run that does not end; returns it and its enclave once that computes."""
        started = self.start("run", *arguments, *ENDLESS)
        self.wait_until(lambda: self.processes("soter-enclave"), "no enclave was started")
        (enclave,) = self.processes("soter-enclave")
        self.wait_until(lambda: any(w in m.contents for m in mappings(enclave) for w in self.weights), "no weights seen")
        return started, enclave

    def stop(self, started):
        started.send_signal(signal.SIGTERM)
        started.communicate()

    def test_no_key_is_left_once_the_model_is_open(self):
        text = (self.directory / "identity").read_text().split("\n")[-2].encode()
        started, enclave = self.running(self.sealed, *self.keys)
        try:
            contents = [m.contents for m in mappings(enclave)]
            self.assertFalse(any(text in c for c in contents), "the identity's text is left in memory")
            self.assertFalse(any(text[20:52] in c for c in contents), "a part of the identity is left in memory")
        finally:
            self.stop(started)

    def check_weights(self, *arguments):
        started, enclave = self.running(*arguments)
        try:
            holding = [m for m in mappings(enclave) if any(w in m.contents for w in self.weights)]
            self.assertTrue(holding)
            for mapping in holding:
                self.assertIn("lo", mapping.flags, "weights in memory that is not locked")
                self.assertIn("dd", mapping.flags, "weights in memory that a dump would hold")
        finally:
            self.stop(started)

    def test_weights_of_a_sealed_model_are_locked_and_left_out_of_dumps(self):
        self.check_weights(self.sealed, *self.keys)

    def test_weights_of_a_plain_model_too_where_the_limit_allows(self):
        self.check_weights(MODEL)

    def test_nobody_else_may_look(self):
        started, enclave = self.running(self.sealed, *self.keys)
        try:
            limits = pathlib.Path(f"/proc/{enclave}/limits").read_text()
            self.assertRegex(limits, r"Max core file size +0 +0")
            owner = os.stat(f"/proc/{enclave}/mem")
            self.assertEqual((owner.st_uid, owner.st_mode & 0o077), (0, 0))
            done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "cat", f"/proc/{enclave}/environ"],
                                  capture_output=True)
            self.assertNotEqual(done.returncode, 0)
        finally:
            self.stop(started)

    def under_limit(self, limit_kib, *arguments):
        """Runs soter as one whom the limit binds: root without the right to lock what it likes."""
        command = ["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock",
                   "prlimit", f"--memlock={limit_kib << 10}", harness.BUILD / "soter", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, timeout=300)

    def test_a_sealed_model_that_cannot_be_locked_is_refused(self):
        one = self.write_npy("one.npy", np.load(harness.DIGITS / "images.npy")[:1])
        arguments = ["run", self.sealed, *self.keys, "--input", f"image={one}"]
        self.check_failure(self.under_limit(512, *arguments), 1, "digits.soter", "locked memory", "RLIMIT_MEMLOCK",
                           "is 512 KiB", "ulimit -l", "LimitMEMLOCK=")
        hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
        enough_kib = (64 << 20 if hard == resource.RLIM_INFINITY else hard) >> 10
        done = self.under_limit(enough_kib, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_plain_model_is_run_without(self):
        done = self.under_limit(64, "run", MODEL, "--input", IMAGES)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_doctor_names_the_limit(self):
        done = self.under_limit(64, "doctor")
        self.assertRegex(done.stdout, r"6[0-9.]+ ?kB may be locked")
        self.assertIn("LimitMEMLOCK", done.stdout)


if __name__ == "__main__":
    harness.main()
