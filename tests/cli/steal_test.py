#!/usr/bin/python3
"""audit/victims: a victim is trained, and substitutes for it from a job file, as soter-audit has it done."""

import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

if importlib.util.find_spec("torch") is None:
    print("PyTorch is not here: scripts/setup --without-audit")
    sys.exit(77)

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "audit/victims"
sys.path.insert(0, str(SCRIPTS))

import networks  # noqa: E402
import torch  # noqa: E402


def run(script, *arguments):
    command = ["/usr/bin/python3", str(SCRIPTS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


class StealTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp())
        cls.victim = cls.directory / "digits"
        done = run("train.py", "digits", cls.victim)
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def steal(self, runs, observed=4):
        job, result = self.directory / "job.json", self.directory / "result.json"
        common = {"guess": None, "budget": 20, "labels": "soft", "seed": 1}
        runs = [{"id": str(i), **common, **one} for i, one in enumerate(runs)]
        job.write_text(json.dumps({"victim": str(self.victim), "observed": observed, "runs": runs}))
        done = run("steal.py", job, result)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(result.read_text())

    def guess(self, layers):
        """The first layers of the victim itself, as an attack would hand them in."""
        directory = self.directory / f"guess{layers}"
        directory.mkdir(exist_ok=True)
        network = networks.make("digits", False)
        network.load_state_dict(torch.load(self.victim / "victim.pt"))
        for index, layer in enumerate(networks.linear_layers(network)[:layers]):
            for name in ("weight", "bias"):
                np.save(directory / f"{index}.{name}.npy", getattr(layer, name).detach().numpy())
        return str(directory)

    def test_victims_learn_what_is_private(self):
        report = json.loads((self.victim / "victim.json").read_text())
        self.assertGreater(report["victim_accuracy"], 0.9)
        self.assertLess(report["ancestor_accuracy"], 0.3)

    def test_the_more_is_guessed_the_better_the_substitute(self):
        starts = [{"start": "public"}, {"start": "guess", "guess": self.guess(0)}, {"start": "guess", "guess": self.guess(4)},
                  {"start": "guess", "guess": self.guess(5)}]
        public, nothing, most, everything = self.steal(starts)
        self.assertEqual(nothing["accuracy"], public["accuracy"])  # who guesses nothing is a black-box attacker
        self.assertGreater(most["accuracy"], public["accuracy"])
        self.assertGreater(everything["fidelity"], 0.95)
        for one in (public, everything):
            self.assertTrue(0.3 < one["membership"] < 0.9, one)

    def test_black_box_attackers(self):
        runs = [{"start": start} for start in ("head", "random", "larger")] + [{"start": "random", "budget": 2}]
        *attackers, poor = self.steal(runs)
        self.assertEqual([one["start"] for one in attackers], ["head", "random", "larger"])
        self.assertGreater(attackers[1]["accuracy"], poor["accuracy"])

    def test_hard_labels_seeds_and_repetition(self):
        soft, hard, other, again = self.steal([{"start": "random"}, {"start": "random", "labels": "hard"},
                                               {"start": "random", "seed": 2}, {"start": "random"}])
        self.assertNotEqual(soft["fidelity"], hard["fidelity"])
        self.assertNotEqual(soft["fidelity"], other["fidelity"])
        self.assertEqual({**soft, "id": ""}, {**again, "id": ""})

    def test_ennclave_keeps_public_layers(self):
        variant = self.directory / "digits-ennclave-2"
        done = run("train.py", "--private-layers", "2", "--from", self.victim, variant)
        self.assertEqual(done.returncode, 0, done.stderr)
        ancestor, deployed = (torch.load(variant / f"{name}.pt") for name in ("ancestor", "victim"))
        same = [torch.equal(ancestor[name], deployed[name]) for name in ancestor if name.endswith("weight")]
        self.assertEqual(same, [True, True, True, False, False])
        accuracy = json.loads((variant / "victim.json").read_text())["victim_accuracy"]
        self.assertGreater(accuracy, 0.5)

    def test_refusals(self):
        for arguments in ([], ["digits"], ["--private-layers", "2", "x"], ["letters", "x"]):
            done = run("train.py", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("usage", done.stderr)

    def test_too_little_text_is_said(self):
        import text
        empty = self.directory / "nothing"
        empty.mkdir()
        licences, documentation = text.LICENCES, text.DOCUMENTATION
        text.LICENCES, text.DOCUMENTATION = empty, empty
        try:
            with self.assertRaisesRegex(SystemExit, "too little text"):
                text.make(np.random.default_rng(1), {"member": 0.6, "query": 0.2, "test": 0.2})
        finally:
            text.LICENCES, text.DOCUMENTATION = licences, documentation


if __name__ == "__main__":
    unittest.main()
