#!/usr/bin/python3
"""soter bench --report: files, interruption, comparison, the word "modelled", and options that do not fit."""

import csv
import json
import os
import signal
import xml.etree.ElementTree as xml

import harness
from harness import MODEL

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

    def test_claims_of_other_reports(self):
        audit = self.directory / "audit.json"
        audit.write_text('{"claims": [{"id": "C7", "verdict": "refuted", "numbers": "91% against 90%"}]}')
        self.bench("--schemes", "insecure", "--audit-json", audit)
        self.assertEqual([c for c in self.report()["claims"] if c["id"] == "C7"][0]["verdict"], "refuted")

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
