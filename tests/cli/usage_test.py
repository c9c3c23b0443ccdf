#!/usr/bin/python3
"""The command line itself: help, version, options that make no sense, schemes that this build does not have."""

import json

import harness
from harness import IMAGES, MODEL


class UsageTest(harness.CliTest):
    def test_help_and_version(self):
        self.assertIn("run", self.succeed("--help"))
        self.assertIn("--theta", self.succeed("run", "--help"))
        self.assertRegex(self.succeed("--version"), r"^soter \d+\.\d+\.\d+\n$")

    def test_no_command(self):
        self.fail_with(2, [], "subcommand")

    def test_unknown_command_and_option(self):
        self.fail_with(2, ["fly", MODEL])
        self.fail_with(2, ["run", MODEL, "--fast"], "--fast")

    def test_bad_values(self):
        for option, value in (("--scheme", "secret"), ("--theta", "1.5"), ("--theta", "nan"), ("--check", "maybe"),
                              ("--threads", "0"), ("--repeat", "0"), ("--fingerprint-rate", "-1"),
                              ("--timeout-ms", "soon")):
            with self.subTest(option=option, value=value):
                self.fail_with(2, ["run", MODEL, "--random", option, value], option)

    def test_bad_worker_address(self):
        self.fail_with(2, ["run", MODEL, "--random", "--worker", "gpu"], "--worker", "unix:PATH")

    def test_hidden_option_stays_hidden(self):
        self.assertNotIn("--force-unit-scales", self.succeed("run", "--help"))

    def test_repeatable_secrets_are_announced(self):
        done = self.soter("run", MODEL, "--input", IMAGES, "--seed", "7")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("WARNING", done.stderr)

    def test_doctor(self):
        self.assertIn("shared memory", self.succeed("doctor"))
        findings = {f["what"] for f in json.loads(self.succeed("doctor", "--json"))["findings"]}
        self.assertLessEqual({"Intel SGX", "NVIDIA GPU", "locked memory", "soter-enclave"}, findings)

    def test_closed_standard_output_is_an_error(self):
        with open("/dev/full", "w") as full:
            done = self.soter_to(full, "doctor")
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)

    def soter_to(self, stdout, *arguments):
        return harness.subprocess.run([harness.BUILD / "soter", *arguments], stdout=stdout, text=True,
                                      stderr=harness.subprocess.PIPE, env=self.environment)


class ZooTest(harness.CliTest):
    def test_list_and_write(self):
        names = self.succeed("zoo", "--list").split()
        self.assertLessEqual({"mlp", "alexnet", "vgg19", "resnet152", "densenet121", "transformer"}, set(names))
        path = self.directory / "mlp.onnx"
        self.assertEqual(self.succeed("zoo", "mlp", "-o", path), "")
        first = path.read_bytes()
        self.succeed("zoo", "mlp", "-o", path)
        self.assertEqual(path.read_bytes(), first)
        self.succeed("zoo", "mlp", "-o", path, "--seed", "2")
        self.assertNotEqual(path.read_bytes(), first)

    def test_unknown_network(self):
        path = self.directory / "x.onnx"
        self.fail_with(2, ["zoo", "lenet", "-o", path], "lenet", "alexnet")
        self.assertFalse(path.exists())

    def test_nothing_to_do(self):
        self.fail_with(2, ["zoo"], "NAME")

    def test_directory_that_is_not_there(self):
        self.fail_with(2, ["zoo", "mlp", "-o", self.directory / "no" / "x.onnx"], "x.onnx")


if __name__ == "__main__":
    harness.main()
