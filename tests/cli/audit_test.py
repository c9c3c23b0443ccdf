#!/usr/bin/python3
"""soter audit: the small audit passes, its controls come out as they must, and recordings and programs of others work."""

import importlib.util
import json
import stat
import unittest

import harness
import numpy as np
from harness import MODEL

PROGRAM = """#!/usr/bin/python3
import json, pathlib, sys
import numpy as np
view, ancestor, output = map(pathlib.Path, sys.argv[1:])
assert (view / "events.jsonl").exists() and ancestor.exists()
(layer, *_) = json.loads((output / "layers.json").read_text())
np.save(output / "0.weight.npy", np.zeros(layer["shape"], np.{dtype}))
"""


class AuditTest(harness.CliTest):
    def program(self, dtype="float32"):
        path = self.directory / "attack"
        path.write_text(PROGRAM.replace("{dtype}", dtype))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def record(self):
        record = self.directory / "record"
        self.succeed("view", MODEL, "-o", record, "--scheme", "soter", "--theta", "1", "--check", "none")
        return record

    @unittest.skipUnless(importlib.util.find_spec("torch"), "PyTorch is not here: scripts/setup --without-audit")
    def test_small_audit(self):
        report = self.directory / "report"
        text = self.succeed("audit", "--report", report, "--small", timeout=800)
        self.assertIn("a measurement", text)
        self.assertNotIn("withstood", text)
        result = json.loads((report / "audit.json").read_text())
        self.assertTrue(result["passed"])
        controls = {control["control"]: control for control in result["controls"]}
        self.assertEqual(len(controls), 12)
        self.assertTrue(all(control["passed"] for control in controls.values()))
        self.assertTrue(controls["digits under insecure"]["broke"])
        self.assertFalse(controls["digits under mlcapsule"]["broke"])
        (soter,) = [row for row in result["outcomes"] if row["scheme"] == "soter" and row["attack"] == "all"]
        self.assertGreaterEqual(soter["share_on_accelerator"], 0.7)
        self.assertTrue(soter["counts"] and soter["broken"])
        walks = {row["check"]: row for row in result["outcomes"] if row["attack"] == "kink-walk"}
        for check in ("none", "fingerprint"):  # the enclave computes on answers of the accelerator's choice
            self.assertTrue(walks[check]["broken"], check)
            self.assertGreaterEqual(walks[check]["findings"]["kinks crossed"], 4, check)  # of the units that are walked
            self.assertEqual(walks[check]["findings"]["answers refused"], 0, check)
        self.assertFalse(walks["freivalds"]["broken"])  # and refuses the first, in each of three loads
        self.assertEqual(walks["freivalds"]["findings"]["answers refused"], 3)
        self.assertEqual(walks["freivalds"]["findings"]["batches asked"], 3)
        (untouched,) = [row for row in result["outcomes"] if row["scheme"] == "mlcapsule" and row["attack"] == "all"]
        self.assertEqual([layer["adp"] for layer in untouched["layers"]], [1] * len(untouched["layers"]))
        stolen = {curve["scheme"]: curve for curve in result["stealing"] if curve["start"] == "guess"}
        self.assertTrue(stolen["insecure"]["above_floor"])
        self.assertFalse(stolen["mlcapsule"]["above_floor"])
        # What `soter bench` reads of it; neither ennclave nor aegisdnn was attacked.
        self.succeed("bench", "--report", self.directory / "bench", "--models", MODEL, "--schemes", "insecure", "--rounds", "1",
                     "--audit-json", report / "audit.json")
        claims = {c["id"]: c for c in json.loads((self.directory / "bench/report.json").read_text())["claims"]}
        self.assertEqual(claims["C7"]["verdict"], "not measured")
        self.assertIn("aegisdnn", claims["C7"]["numbers"])

    @unittest.skipUnless(importlib.util.find_spec("torch"), "PyTorch is not here: scripts/setup --without-audit")
    def test_what_is_done_is_kept(self):
        report = self.directory / "report"
        arguments = ["audit", "--report", report, "--small", "--schemes", "insecure,mlcapsule", "--attacks", "read",
                     "--budgets", "0"]
        self.succeed(*arguments)
        parts = sorted((report / "parts").rglob("*.json"))
        self.assertEqual([part.name for part in parts], ["black-box.json", "insecure.json", "mlcapsule.json"])
        first = json.loads((report / "audit.json").read_text())
        self.assertTrue(first["complete"])
        parts[1].unlink()
        before = [part.stat().st_mtime_ns for part in parts if part.exists()]
        self.succeed(*arguments)
        self.assertEqual([part.stat().st_mtime_ns for part in (parts[0], parts[2])], before)
        again = json.loads((report / "audit.json").read_text())
        results = [[(row["scheme"], row["attack"], row["layers"]) for row in one["outcomes"]] for one in (first, again)]
        self.assertEqual(*results)
        parts[2].write_text("{}")  # what cannot be read is computed again
        self.succeed(*arguments)
        self.assertIn("outcomes", json.loads(parts[2].read_text()))

    @unittest.skipUnless(importlib.util.find_spec("torch"), "PyTorch is not here: scripts/setup --without-audit")
    def test_text_and_layers_of_ennclave(self):
        """All weights of the Transformer, read off the accelerator and put in by Python, make the victim again."""
        report = self.directory / "report"
        self.succeed("audit", "--report", report, "--small", "--victims", "text", "--schemes", "insecure,ennclave",
                     "--attacks", "read", "--queries", "4")
        result = json.loads((report / "audit.json").read_text())
        (read,) = [row for row in result["outcomes"] if (row["scheme"], row["attack"]) == ("insecure", "read")]
        self.assertEqual(read["broken_layers"], 13)
        self.assertEqual(read["substitute"]["fidelity"], 1)
        stolen = {curve["scheme"]: curve for curve in result["stealing"] if curve["start"] == "guess"}
        self.assertGreater(stolen["insecure"]["fidelity"][0], 0.9)
        self.assertTrue(stolen["insecure"]["above_floor"])
        (ennclave,) = [row for row in result["outcomes"] if (row["scheme"], row["attack"]) == ("ennclave", "read")]
        self.assertGreaterEqual(ennclave["share_on_accelerator"], 0.7)
        self.assertEqual(ennclave["broken_layers"], 0)  # what lies there was public before

    def test_recordings_of_others(self):
        record, report = self.record(), self.directory / "report"
        text = self.succeed("audit", "--report", report, "--view", record, "--ancestor", MODEL, "--truth", MODEL,
                            "--attacks", "scale")
        self.assertIn("scale", text)
        guesses = sorted(path.name for path in (report / "guesses/scale").iterdir())
        self.assertIn("0.weight.npy", guesses)
        self.assertEqual(np.load(report / "guesses/scale/0.weight.npy").shape, (16, 1, 3, 3))

    def test_programs_of_others(self):
        record = self.record()
        text = self.succeed("audit", "--report", self.directory / "report", "--view", record, "--ancestor", MODEL,
                            "--truth", MODEL, "--attacks", "scale", "--attack-program", self.program())
        self.assertIn("attack", text)
        self.fail_with(2, ["audit", "--report", self.directory / "bad", "--view", record, "--ancestor", MODEL,
                           "--attacks", "scale", "--attack-program", self.program("float64")], "0.weight.npy")

    def test_every_run_says_what_its_scheme_does_not_hide(self):
        recoverable = "weights recoverable by anyone with a public ancestor or a few images: see docs/audit.md"
        lines = {"insecure": "sees every weight and input in plaintext", "verified": "sees every weight and input in plaintext",
                 "mlcapsule": "sizes and times are visible", "soter": recoverable}
        for scheme, line in lines.items():
            for command in (["plan", MODEL], ["run", MODEL, "--random"]):
                text = " ".join(self.succeed(*command, "--scheme", scheme).split())
                self.assertIn(line, text, f"{command[0]} {scheme}")
        for check, line in {"none": "learns what stays in the enclave too", "fingerprint": "nothing about your own result",
                            "freivalds": "checked up to rounding error"}.items():
            text = " ".join(self.succeed("plan", MODEL, "--check", check).split())
            self.assertIn(recoverable, text)
            self.assertIn(line, text)

    def test_refusals(self):
        report = self.directory / "report"
        self.fail_with(2, ["audit"], "--report")
        self.fail_with(2, ["audit", "--report", report, "--attacks", "magic"], "magic")
        self.fail_with(2, ["audit", "--report", report, "--schemes", "magic"], "magic")
        self.fail_with(2, ["audit", "--report", report, "--view", self.directory], "--ancestor")
        self.fail_with(2, ["audit", "--report", report, "--view", self.directory, "--ancestor", MODEL], "record")


if __name__ == "__main__":
    harness.main()
