#!/usr/bin/python3
"""soter bench --report: files, interruption, comparison, the word "modelled", and options that do not fit."""

import csv
import json
import os
import pty
import signal
import subprocess
import xml.etree.ElementTree as xml

import harness
from harness import BUILD, MODEL

QUICK = ["--rounds", "2", "--repeat", "2", "--warm-up", "1", "--threads", "1", "--fault-rounds", "1"]


class BenchTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.out = self.directory / "report"

    def bench(self, *options):
        return self.succeed("bench", "--report", self.out, "--models", MODEL, *QUICK, *options)

    def report(self):
        return json.loads((self.out / "report.json").read_text())

    def text_of_page(self):
        return "".join(xml.parse(self.out / "report.html").getroot().itertext())

    def test_every_scheme_is_measured_in_turns(self):
        printed = self.bench("--theta", "0.5,1", "--batch", "1,3")
        report = self.report()
        self.assertTrue(report["complete"])
        self.assertEqual(report["kind"], "measured")
        schemes = {m["configuration"]["scheme"] for m in report["measurements"]}
        self.assertEqual(schemes, {"insecure", "mlcapsule", "soter", "aegisdnn", "verified"})
        for m in report["measurements"]:
            self.assertIsNone(m["skipped"], m)
            self.assertEqual([len(r) for r in m["rounds_ms"]], [2, 2])
            self.assertLessEqual(m["latency_ms"]["total"]["p10"], m["latency_ms"]["total"]["p90"])
            self.assertGreater(m["expected_ms"], 0)
        same = [m for m in report["measurements"] if m["configuration"]["variant"] == "soter's protected set"]
        self.assertEqual(len(same), 4)
        self.assertEqual([c["id"] for c in report["claims"]], [f"C{i}" for i in range(1, 10)])
        verdicts = {c["id"]: c["verdict"] for c in report["claims"]}
        self.assertIn(verdicts["C4"], ("reproduced", "refuted"))
        self.assertEqual(verdicts["C6"], "not measured")
        self.assertIn("plain process", printed)
        with open(self.out / "report.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), len(report["measurements"]) * 4)
        page = self.text_of_page()
        for part in ("Figure 1", "Table 3", "Table 4", "Latency against theta", "Latency against the batch", "Predicted against"):
            self.assertIn(part, page)
        self.assertNotIn("MODELLED", page)

    def test_aegisdnn_gets_the_set_that_soter_drew(self):
        self.bench("--schemes", "insecure,soter,aegisdnn", "--theta", "0.5", "--check", "none", "--no-predict")
        by = {(m["configuration"]["scheme"], m["configuration"]["variant"]): m for m in self.report()["measurements"]}
        soter, same = by["soter", ""], by["aegisdnn", "soter's protected set"]
        for name in ("linear", "mul_adds", "switches"):
            self.assertEqual(soter["counts"][name], same["counts"][name])

    def test_modelled_figures_say_so_everywhere(self):
        printed = self.bench("--schemes", "insecure,mlcapsule,soter", "--accelerator-model", "10x")
        self.assertIn("MODELLED", printed)
        report = self.report()
        self.assertEqual(report["kind"], "modelled")
        self.assertEqual({m["kind"] for m in report["measurements"]}, {"modelled"})
        self.assertEqual(report["worker"]["backend"], "modelled")
        with open(self.out / "report.csv", newline="") as file:
            self.assertEqual({row["kind"] for row in csv.DictReader(file)}, {"modelled"})
        root = xml.parse(self.out / "report.html").getroot()
        for figure in root.iter("{http://www.w3.org/1999/xhtml}figure"):
            self.assertIn("MODELLED", "".join(figure.itertext()))
        self.assertIn("Amdahl", self.text_of_page())

    def test_compare_prints_what_changed(self):
        self.bench("--schemes", "insecure")
        old = self.directory / "old.json"
        os.rename(self.out / "report.json", old)
        printed = self.bench("--schemes", "insecure,mlcapsule", "--compare", old)
        self.assertIn(f"since {old}", printed)
        self.assertIn("digits.onnx, insecure", printed.split("since")[1])
        self.assertNotIn("mlcapsule", printed.split("since")[1])

    def test_what_cannot_be_measured_is_named(self):
        self.bench("--schemes", "insecure,ennclave", "--input-size", "12")
        reasons = [m["skipped"] for m in self.report()["measurements"]]
        self.assertTrue(all(reasons), reasons)
        self.assertIn("What is missing", self.text_of_page())

    def test_ctrl_c_keeps_what_is_done(self):
        running = self.start("bench", "--report", self.out, "--models", MODEL, "--schemes", "insecure,mlcapsule", "--rounds",
                             "1000", "--repeat", "3", "--threads", "1", "--no-predict")
        self.wait_until(lambda: (self.out / "report.json").exists(), "no report", 60)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
        self.assertEqual(running.returncode, -signal.SIGINT)
        report = self.report()
        self.assertFalse(report["complete"])
        self.assertGreaterEqual(sum(len(m["rounds_ms"]) for m in report["measurements"]), 1)
        self.assertIn("Interrupted", self.text_of_page())
        self.assertEqual(sorted(os.listdir(self.out)), ["report.csv", "report.html", "report.json"])

    def verdicts(self):
        return {c["id"]: c["verdict"] for c in self.report()["claims"]}

    def test_claims_of_the_integrity_campaign(self):
        """Of the file that the program writes now."""
        integrity = self.directory / "integrity"
        subprocess.run([BUILD / "soter-integrity-bench", "--report", integrity, "--parts", "distances", "--threads", "1"],
                       check=True, env=self.environment, stderr=subprocess.DEVNULL)
        self.bench("--schemes", "insecure", "--integrity-json", integrity / "integrity.json")
        for claim in ("C8", "C9"):
            self.assertIn(self.verdicts()[claim], ("reproduced", "refuted"))
        self.fail_with(2, ["bench", "--report", self.out, "--models", MODEL, "--audit-json", integrity / "integrity.json"],
                       "--audit-json", "soter audit")

    def test_claims_of_an_audit(self):
        curve = {"victim": "digits", "start": "guess", "labels": "soft", "queries": 20, "theta": 0.8, "fidelity": [0.9]}
        audit = self.directory / "audit.json"
        audit.write_text(json.dumps({"stealing": [{**curve, "scheme": "soter", "accuracy": [0.9]},
                                                  {**curve, "scheme": "aegisdnn", "theta": 0, "accuracy": [0.9]}]}))
        self.bench("--schemes", "insecure", "--audit-json", audit)
        self.assertEqual(self.verdicts()["C7"], "refuted")
        self.assertEqual(self.verdicts()["C6"], "not measured")

    def test_precision_goes_to_the_accelerator_alone(self):
        self.bench("--schemes", "insecure,mlcapsule", "--precision", "tf32", "--worker", "cpu", "--no-predict")
        insecure, mlcapsule = self.report()["measurements"]
        self.assertIn("(cpu) computes in fp32", insecure["skipped"])
        self.assertIsNone(mlcapsule["skipped"])
        self.assertEqual(self.report()["protocol"]["precision"], "tf32")

    def test_dimensions_of_inputs(self):
        self.fail_with(2, ["bench", "--report", self.out, "--models", MODEL, "--dim", "length"], "SYMBOL=EXTENT")
        self.bench("--schemes", "insecure", "--dim", "no_such=3", "--no-predict")
        self.assertIn("no_such", self.report()["measurements"][0]["skipped"])

    def test_progress_tells_the_time_left(self):
        parent, child = pty.openpty()
        running = subprocess.Popen([BUILD / "soter", "bench", "--report", self.out, "--models", MODEL, "--schemes",
                                    "insecure,mlcapsule", *QUICK, "--no-predict"], env=self.environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=child)
        os.close(child)
        shown = b""
        try:
            while piece := os.read(parent, 4096):
                shown += piece
        except OSError:
            pass  # the terminal's other end is closed
        os.close(parent)
        self.assertEqual(running.wait(), 0)
        self.assertRegex(shown.decode(errors="replace"), r"about \d+ s left: ")

    def test_bad_options(self):
        base = ["bench", "--report", self.out, "--models", MODEL]
        self.fail_with(2, [*base, "--schemes", "nonsense"], "nonsense")
        self.fail_with(2, [*base, "--accelerator-model", "fast"], "tflops")
        self.fail_with(2, [*base, "--theta", "2"], "theta")
        self.fail_with(2, [*base, "--compare", MODEL], "--compare")
        self.fail_with(2, [*base, "--audit-json", self.write_npy("x.npy", [1])], "x.npy")
        self.fail_with(2, ["bench", "--report", self.directory / "no/such"], "no")
        self.fail_with(2, ["bench", "--report", self.out, "--models", "no-such-model"], "no-such-model")
        self.assertFalse(self.out.exists())


if __name__ == "__main__":
    harness.main()
