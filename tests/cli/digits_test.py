#!/usr/bin/python3
"""Real digits through all schemes: accuracy, equality with plain inference, what is checked, what is reported."""

import harness
import numpy as np
from harness import DIGITS, IMAGES, MODEL


class DigitsTest(harness.CliTest):
    def classify(self, *options):
        """Returns the logits [360, 10] and the report."""
        out = self.directory / "out"
        report = self.run_json(MODEL, "--input", IMAGES, "--output-dir", out, *options)
        self.assertEqual(report["outputs"]["logits"]["file"], str(out / "logits.npy"))
        return np.load(out / "logits.npy"), report

    def test_accuracy_and_equality(self):
        labels = np.load(DIGITS / "labels.npy")
        plain, _ = self.classify("--scheme", "insecure")
        self.assertGreaterEqual((plain.argmax(1) == labels).mean(), 0.97)
        for options in (["--scheme", "mlcapsule"], ["--theta", "0"], ["--theta", "0.8"], ["--theta", "1"],
                        ["--theta", "1", "--check", "none"], ["--theta", "1", "--check", "fingerprint"],
                        ["--scheme", "verified"]):
            with self.subTest(options=options):
                logits, _ = self.classify(*options)
                self.assertLessEqual(np.abs(logits - plain).max() / np.abs(plain).max(), 1e-5)
                self.assertTrue((logits.argmax(1) == plain.argmax(1)).all())

    def test_report_of_soter(self):
        logits, report = self.classify("--theta", "1", "--check", "fingerprint", "--fingerprint-rate", "1",
                                       "--repeat", "5")
        self.assertEqual((report["scheme"], report["check"], report["tee"]), ("soter", "fingerprint", "dev"))
        self.assertIs(report["verified"], True)
        self.assertGreater(report["checks"]["made"], 0)
        self.assertEqual(report["checks"]["failed"], 0)
        self.assertEqual(report["worker"]["backend"], "cpu")
        self.assertGreaterEqual(report["operators"]["masked"], 4)
        self.assertGreater(report["switches"], 0)
        self.assertGreater(report["bytes_sent"], 0)
        self.assertEqual(report["outputs"]["logits"]["shape"], [360, 10])
        top = report["outputs"]["logits"]["top"]
        self.assertEqual([index for index, _ in top], list(np.argsort(-logits[0])[:5]))
        self.assertEqual(report["repeat"], 5)
        self.assertTrue(report["notice"])

    def test_parts_add_up_to_the_total(self):
        for scheme in ("insecure", "mlcapsule", "soter"):
            latency = self.run_json(MODEL, "--input", IMAGES, "--scheme", scheme, "--repeat", "9")["latency_ms"]
            parts = sum(latency[part] for part in ("trusted", "accelerator", "switch", "check"))
            self.assertAlmostEqual(parts / latency["total"]["median"], 1, delta=0.1)
            self.assertLessEqual(latency["total"]["p10"], latency["total"]["median"])
            self.assertLessEqual(latency["total"]["median"], latency["total"]["p90"])

    def test_schemes_without_checks_do_not_claim_verification(self):
        for options in (["--scheme", "insecure"], ["--check", "none"]):
            self.assertIsNone(self.classify(*options)[1]["verified"])

    def test_text_report(self):
        text = self.succeed("run", MODEL, "--input", IMAGES)
        for word in ("development TEE", "logits", "verified", "accelerator", "switch", "note"):
            self.assertIn(word, text)

    def test_random_inputs_are_repeatable_and_follow_the_seed(self):
        def top(*options):
            report = self.run_json(MODEL, "--random", "--scheme", "insecure", *options)
            return report["outputs"]["logits"]["top"]
        self.assertEqual(top(), top())
        self.assertNotEqual(top(), top("--random-seed", "2"))

    def test_single_input_needs_no_name(self):
        report = self.run_json(MODEL, "--input", DIGITS / "images.npy", "--scheme", "mlcapsule")
        self.assertEqual(report["outputs"]["logits"]["shape"], [360, 10])

    def test_plan(self):
        text = self.succeed("plan", MODEL, "--dim", "batch=2", "--theta", "1", "--check", "fingerprint")
        self.assertIn("offloaded  4 of 4 linear operators", text)
        plan = harness.json.loads(self.succeed("plan", MODEL, "--json", "--theta", "0", "--no-profile"))
        self.assertEqual(plan["linear"], {"total": 4, "offloaded": 0})
        self.assertTrue(all(node["where"] == "enclave" for node in plan["nodes"]))


if __name__ == "__main__":
    harness.main()
