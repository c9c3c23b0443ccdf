#!/usr/bin/python3
"""One network of the zoo under every scheme. Usage: networks_test.py NETWORK"""

import json
import sys
import unittest

import numpy as np

import networks

sys.path.insert(0, str(networks.ROOT / "tests/cli"))
import harness  # noqa: E402  (beside another test)

THETAS = (0, 0.3, 0.8, 1)
OFFLOADED_SHARE = 0.9  # of the multiply-adds, at least, at theta 1


class NetworkTest(harness.CliTest):
    name = ""

    def setUp(self):
        super().setUp()
        self.network = networks.NETWORKS[self.name]
        self.model = networks.model_file(self.name)

    def run_network(self, inputs, *options):
        """Runs once; returns the report and the output."""
        out = self.directory / "out"
        # What is tested is what comes out, on however busy a machine; waiting has tests of its own.
        patience = ("--timeout-ms", 120_000)
        report = self.run_json(self.model, *networks.input_options(inputs), "--output-dir", out, *patience, *options)
        files = [output["file"] for output in report["outputs"].values()]
        self.assertEqual(len(files), 1)
        return report, np.load(files[0])

    def agree(self, value, reference, what):
        self.assertLessEqual(networks.difference(value, reference), self.network.bound, what)

    def test_schemes_agree(self):
        for dims in self.network.dims:
            inputs = networks.write_inputs(self.name, dims, self.directory)
            _, reference = self.run_network(inputs, "--scheme", "insecure")
            self.assertEqual(reference.shape[0], dims["batch"])
            report, value = self.run_network(inputs, "--scheme", "mlcapsule")
            self.agree(value, reference, f"mlcapsule {dims}")
            self.assertEqual(report["operators"]["accelerator"], 0)
            for theta in THETAS:
                with self.subTest(dims=dims, theta=theta):
                    self.check_soter(inputs, theta, reference)

    def check_soter(self, inputs, theta, reference):
        report, value = self.run_network(inputs, "--scheme", "soter", "--theta", theta, "--check", "none")
        self.agree(value, reference, f"theta {theta}")
        offloaded = report["operators"]["accelerator"]
        if theta == 0:
            self.assertEqual(offloaded, 0)
        if theta == 1:
            self.assertGreater(report["operators"]["masked"], 0)

    def test_offloads_nearly_all_at_theta_1(self):
        inputs = networks.write_inputs(self.name, self.network.dims[0], self.directory)
        options = [*networks.input_options(inputs), "--theta", 1, "--no-profile", "--json"]
        plan = json.loads(self.succeed("plan", self.model, *options))
        cost = {"accelerator": 0, "enclave": 0}
        for node in plan["nodes"]:
            cost[node["where"]] += node["mul_adds"]
        self.assertGreaterEqual(cost["accelerator"] / sum(cost.values()), OFFLOADED_SHARE)

    def test_fingerprints_pass(self):
        inputs = networks.write_inputs(self.name, self.network.dims[0], self.directory)
        report, _ = self.run_network(inputs, "--scheme", "soter", "--theta", 1, "--check", "fingerprint",
                                     "--fingerprint-rate", 1, "--cornerstones", 2)
        self.assertGreater(report["checks"]["made"], 0)
        self.assertEqual(report["checks"]["failed"], 0)
        self.assertTrue(report["verified"])

    def test_batch_rows_are_independent(self):
        dims = {**self.network.dims[0], "batch": 3}
        inputs = networks.write_inputs(self.name, dims, self.directory)
        _, whole = self.run_network(inputs, "--scheme", "mlcapsule")
        rows = {port: self.write_npy(f"row-{port}.npy", np.load(path)[1:2]) for port, path in inputs.items()}
        _, row = self.run_network(rows, "--scheme", "mlcapsule")
        self.agree(whole[1:2], row, "row 1 of a batch of 3")


if __name__ == "__main__":
    NetworkTest.name = sys.argv.pop(1)
    unittest.main(argv=[sys.argv[0], "--verbose", *sys.argv[1:]])
