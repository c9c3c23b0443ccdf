#!/usr/bin/python3
"""Sealed models in use: the enclave opens them, and their policy binds it whatever the command line says."""

import json

import harness
import numpy as np
from harness import IMAGES, MODEL

INPUT = ["--input", IMAGES, "--fingerprint-rate", "1"]


class SealedRunTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.identity = self.directory / "identity"
        self.sealed = self.directory / "digits.soter"
        lines = self.succeed("keygen", "--identity", self.identity, "--signing-key", self.directory / "key")
        self.recipient = next(line.split()[1] for line in lines.splitlines() if line.startswith("recipient"))
        self.signer = self.directory / "key.pub"
        self.keys = ["--identity", self.identity, "--signer", self.signer]

    def seal(self, *options):
        self.succeed("seal", MODEL, "-o", self.sealed, "--recipient", self.recipient, "--sign", self.directory / "key",
                     *options)

    def outputs(self, model, *options):
        out = self.directory / "out"
        report = self.run_json(model, *INPUT, "--seed", "1", "--output-dir", out, *options)
        (output,) = report["outputs"].values()
        return np.load(output["file"]), report

    def refuse(self, fragment, bad, good):
        """`bad` is refused with exit code 4, and accepted with nothing but that restored."""
        self.fail_with(4, ["run", self.sealed, *self.keys, "--input", IMAGES, *bad], fragment)
        self.succeed("run", self.sealed, *self.keys, "--input", IMAGES, *good)

    def refuse_keys(self, bad):
        self.fail_with(4, ["run", self.sealed, *bad, *INPUT], "digits.soter")
        self.succeed("run", self.sealed, *self.keys, *INPUT)

    def test_the_same_result_as_the_plain_model(self):
        self.seal()
        sealed, report = self.outputs(self.sealed, *self.keys)
        plain, _ = self.outputs(MODEL)
        np.testing.assert_array_equal(sealed, plain)
        self.assertTrue(report["verified"])
        self.assertEqual(report["tee"], "dev")

    def test_policy_demands_a_scheme(self):
        self.seal("--min-scheme", "soter", "--min-check", "none")
        self.refuse("demands scheme soter", ["--scheme", "insecure"], ["--scheme", "soter"])
        self.refuse("demands scheme soter", ["--scheme", "insecure"], ["--scheme", "mlcapsule"])

    def test_policy_demands_a_check(self):
        self.seal()
        self.refuse("demands check fingerprint", ["--check", "none"], ["--check", "fingerprint"])

    def test_a_check_that_never_falls_is_none(self):
        self.seal()
        self.refuse("demands a check", ["--check", "fingerprint", "--fingerprint-rate", "0"],
                    ["--check", "fingerprint", "--fingerprint-rate", "0.1"])
        self.refuse("demands a check", ["--check", "fingerprint", "--cornerstones", "1"],
                    ["--check", "fingerprint", "--cornerstones", "8"])

    def test_policy_demands_a_theta(self):
        self.seal("--min-theta", "0.3", "--max-theta", "0.6")
        self.refuse("theta", ["--theta", "0.8"], ["--theta", "0.6"])
        self.refuse("theta", ["--theta", "0.2"], ["--theta", "0.3"])

    def test_a_placement_does_not_get_around_theta(self):
        self.seal("--max-theta", "0.3")
        everything = self.directory / "plan.json"
        everything.write_text(self.succeed("plan", MODEL, "--theta", "1", "--check", "none", "--no-profile", "--json"))
        self.refuse("--placement", ["--theta", "0.3", "--placement", everything], ["--theta", "0.3"])

    def test_wrong_key(self):
        self.seal()
        other = self.directory / "other"
        self.succeed("keygen", "--identity", other)
        self.refuse_keys(["--identity", other, "--signer", self.signer])

    def test_wrong_signer(self):
        self.seal()
        self.succeed("keygen", "--signing-key", self.directory / "mallory")
        self.refuse_keys(["--identity", self.identity, "--signer", self.directory / "mallory.pub"])

    def refuse_file(self, changed):
        good = self.sealed.read_bytes()
        self.sealed.write_bytes(changed(good))
        self.fail_with(4, ["run", self.sealed, *self.keys, *INPUT], "digits.soter")
        self.sealed.write_bytes(good)
        self.succeed("run", self.sealed, *self.keys, *INPUT)

    def test_changed_model(self):
        self.seal()
        self.refuse_file(lambda good: good[:-9] + bytes([good[-9] ^ 1]) + good[-8:])

    def test_truncated_model(self):
        self.seal()
        self.refuse_file(lambda good: good[:len(good) - 16])

    def test_swapped_chunks(self):
        self.seal()
        chunk = 65536 + 16

        def swap(good):
            end = good.index(b"\n--- ") + 1
            start = good.index(b"\n", end) + 1 + 16
            self.assertGreater(len(good), start + 2 * chunk)
            first, second = good[start:start + chunk], good[start + chunk:start + 2 * chunk]
            return good[:start] + second + first + good[start + 2 * chunk:]

        self.refuse_file(swap)

    def test_keys_are_missing_or_out_of_place(self):
        self.seal()
        self.fail_with(2, ["run", self.sealed, *INPUT], "--identity", "--signer")
        self.fail_with(2, ["run", self.sealed, *INPUT, "--signer", self.signer], "--identity")
        self.fail_with(2, ["run", MODEL, *INPUT, *self.keys], "not a sealed model")
        self.fail_with(2, ["run", self.sealed, *INPUT, "--signer", self.signer, "--identity", self.signer])

    def test_inputs_are_checked_by_name(self):
        self.seal()
        self.fail_with(2, ["run", self.sealed, *self.keys], "image: float32[batch, 1, 8, 8]")
        wrong = self.write_npy("wrong.npy", np.zeros((1, 1, 8, 9), np.float32))
        self.fail_with(2, ["run", self.sealed, *self.keys, "--input", f"image={wrong}"], "image")

    def test_plan(self):
        self.seal()
        plan = json.loads(self.succeed("plan", self.sealed, *self.keys, "--theta", "1", "--check", "fingerprint",
                                       "--no-profile", "--json"))
        self.assertEqual(plan["linear"], {"total": 4, "offloaded": 4})
        self.assertIn("scheme soter", self.succeed("plan", self.sealed, *self.keys, "--dim", "batch=2"))
        self.fail_with(4, ["plan", self.sealed, *self.keys, "--scheme", "insecure"], "demands scheme soter")

    def test_check(self):
        self.seal("--min-scheme", "mlcapsule")
        sealed = json.loads(self.succeed("check", self.sealed, *self.keys, "--json"))
        plain = json.loads(self.succeed("check", MODEL, "--json"))
        for key in ("can_run", "mul_adds", "operators", "weight_bytes"):
            self.assertEqual(sealed[key], plain[key])
        self.assertIn("can run", self.succeed("check", self.sealed, *self.keys))
        self.assertEqual(self.soter("check", self.sealed).returncode, 2)


if __name__ == "__main__":
    harness.main()
