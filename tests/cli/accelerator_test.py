#!/usr/bin/python3
"""How the accelerator computes (--precision, a simulated GPU), what it has no room for, and GPUs that are not there."""

import subprocess
import unittest

import harness
from harness import BUILD, IMAGES, MODEL, DIGITS

import numpy as np

CUDA = (BUILD / "libsoter_cuda.so").exists()
GPU = harness.pathlib.Path("/dev/nvidiactl").exists()


class AcceleratorTest(harness.CliTest):
    def worker(self, *options):
        """Starts a worker that may be hostile; returns its address."""
        path = self.directory / f"worker{len(list(self.directory.glob('worker*')))}"
        process = subprocess.Popen([BUILD / "soter-hostile-worker", "--listen", f"unix:{path}", *options], text=True,
                                   env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.assertIn("listening", process.stdout.readline())
        return f"unix:{path}"

    def tearDown(self):
        self.doCleanups()  # the workers go before the harness looks for what was left
        super().tearDown()

    def logits(self, *options, given=("--input", IMAGES)):
        out = self.directory / f"out{len(list(self.directory.glob('out*')))}"
        report = self.run_json(MODEL, *given, "--theta", "1", "--output-dir", out, *options)
        return np.load(report["outputs"]["logits"]["file"]), report

    def test_every_precision_of_a_simulated_gpu(self):
        exact, _ = self.logits("--scheme", "mlcapsule", given=["--random"])
        address = self.worker("--backend", "emulated-gpu", "--bug", "none")
        bounds = {"fp64": 1e-5, "fp32": 1e-5, "tf32": 1e-2, "fp16": 1e-2}
        for scheme in ("insecure", "verified", "soter"):
            for precision, bound in bounds.items():
                got, report = self.logits("--scheme", scheme, "--precision", precision, "--worker", address,
                                          "--worker-kind", "gpu", given=["--random"])
                self.assertEqual(report["precision"], precision)
                error = np.abs(got - exact).max() / np.abs(exact).max()
                self.assertLess(error, bound, f"{scheme} {precision}")
                if precision in ("tf32", "fp16") and report["operators"]["accelerator"]:
                    self.assertGreater(error, 1e-6, "it was not rounded")

    def test_a_lie_is_caught_in_every_precision(self):
        for precision in ("fp32", "tf32", "fp16"):
            address = self.worker("--backend", "emulated-gpu", "--bug", "negate")
            self.fail_with(3, ["run", MODEL, "--input", IMAGES, "--scheme", "verified", "--precision", precision,
                               "--worker", address, "--worker-kind", "gpu"])

    def test_what_computes_less_exactly_than_asked_is_caught(self):
        """The bounds follow from what was asked for: reduced precision that was not agreed fails the check."""
        address = self.worker("--backend", "emulated-gpu", "--bug", "none", "--always", "fp16")
        for precision, code in (("fp32", 3), ("fp16", 0)):
            done = self.soter("run", MODEL, "--input", IMAGES, "--scheme", "verified", "--precision", precision,
                              "--worker", address, "--worker-kind", "gpu")
            self.assertEqual(done.returncode, code, done.stderr)

    def test_the_cpu_computes_in_fp32_only(self):
        for precision in ("tf32", "fp16", "fp64"):
            self.fail_with(5, ["run", MODEL, "--input", IMAGES, "--scheme", "verified", "--precision", precision,
                               "--worker", "cpu"], f"--precision {precision}", "(cpu) computes in fp32")

    def test_precision_where_it_means_nothing(self):
        self.fail_with(2, ["run", MODEL, "--input", IMAGES, "--scheme", "mlcapsule", "--precision", "tf32"], "enclave")
        self.fail_with(2, ["run", MODEL, "--input", IMAGES, "--check", "fingerprint", "--precision", "fp16"],
                       "fingerprints")
        self.assertEqual(self.soter("run", MODEL, "--random", "--precision", "bf16").returncode, 2)

    def test_no_room_falls_back_to_the_enclave(self):
        exact, _ = self.logits("--scheme", "mlcapsule")
        address = self.worker("--bug", "none", "--memory-limit", "12KB")
        for scheme in ("insecure", "verified", "soter"):
            got, report = self.logits("--scheme", scheme, "--worker", address)
            self.assertLess(np.abs(got - exact).max() / np.abs(exact).max(), 1e-5, scheme)
            self.assertTrue(report["taken_back"]["operators"], scheme)
            self.assertIn("accepts 12000 bytes", report["taken_back"]["reason"])
            self.assertGreaterEqual(report["operators"]["trusted"], len(report["taken_back"]["operators"]))
        text = self.succeed("run", MODEL, "--input", IMAGES, "--scheme", "verified", "--worker", address)
        self.assertIn("taken back", text)

    def test_no_room_is_refused_when_asked(self):
        address = self.worker("--bug", "none", "--memory-limit", "12KB")
        out = self.directory / "out"
        self.fail_with(6, ["run", MODEL, "--input", IMAGES, "--scheme", "verified", "--worker", address,
                           "--on-exhausted", "refuse", "--output-dir", out], "accepts 12000 bytes",
                       "--on-exhausted enclave")
        self.assertFalse(out.exists())

    @unittest.skipIf(GPU, "there is a GPU here")
    def test_no_gpu(self):
        """Exit code 6 and what is missing; with auto, the CPU."""
        self.fail_with(6, ["run", MODEL, "--input", IMAGES, "--worker", "cuda"], "cuda")
        self.fail_with(6, ["run", MODEL, "--input", IMAGES, "--worker", "cuda:3"], "cuda:3")
        self.assertEqual(self.run_json(MODEL, "--input", IMAGES, "--worker", "auto")["worker"]["backend"], "cpu")
        done = self.soter("worker", "--listen", f"unix:{self.directory}/w", "--backend", "cuda")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("NVIDIA" if CUDA else "libsoter_cuda.so", done.stderr)

    @unittest.skipIf(GPU, "there is a GPU here")
    def test_auto_says_why_it_computes_on_the_cpu(self):
        path = self.directory / "w"
        process = self.start("worker", "--listen", f"unix:{path}", "--backend", "auto")
        self.assertIn("listening", process.stdout.readline())
        process.terminate()
        _, stderr = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, stderr)
        self.assertIn("computing on the CPU: ", stderr)


if __name__ == "__main__":
    harness.main()
