#!/usr/bin/python3
"""Trains substitutes for a victim from what an adversary has, and judges them.

    steal.py JOB.json RESULT.json

JOB: {"victim": DIRECTORY, "runs": [{"id": TEXT, "start": "guess" | "public" | "random" | "larger",
      "guess": DIRECTORY or null, "budget": QUERIES, "labels": "soft" | "hard", "seed": NUMBER}, ...]}
RESULT: the same list with "accuracy" and "fidelity" on the test set, which no adversary sees.

A run asks the victim `budget` queries from its own pool, gets scores (soft) or the best class (hard), and trains:
  guess   from the public ancestor with what an attack found put in; guessed layers move at a tenth of the rate
  public  from the public ancestor: the black-box attacker
  random  from nothing: the black-box attacker without an ancestor
  larger  a network twice as wide, from nothing
Needs python3-torch.
"""

import json
import pathlib
import sys

import numpy as np
import torch

import networks
import training

GUESSED_RATE = 0.1


def load(directory, name):
    return torch.from_numpy(np.load(directory / f"{name}.npy"))


class Stage:
    """One victim with its data; what the adversary may use are `ancestor`, `queries` and `answers`."""

    def __init__(self, directory):
        self.directory = directory
        self.task = json.loads((directory / "victim.json").read_text())
        self.victim = self.network("victim.pt")
        self.ancestor_state = torch.load(directory / "ancestor.pt")
        self.queries = load(directory, "query-inputs")
        self.test = load(directory, "test-inputs"), load(directory, "test-labels")
        with torch.no_grad():
            self.answers = self.victim(self.queries)
            self.victim_classes = self.victim(self.test[0]).argmax(1)

    def make(self, width=1):
        return networks.make(self.task["task"], self.task["small"], width)

    def network(self, file):
        network = self.make()
        network.load_state_dict(torch.load(self.directory / file))
        return network.eval()


def starting_network(stage, run):
    """Returns the network to train and the parameters that an attack already found."""
    if run["start"] == "random":
        return stage.make(), set()
    if run["start"] == "larger":
        return stage.make(width=2), set()
    network = stage.make()
    network.load_state_dict(stage.ancestor_state)
    guessed = networks.load_guess(network, pathlib.Path(run["guess"])) if run["start"] == "guess" else set()
    return network, guessed


def steal(stage, run):
    torch.manual_seed(run["seed"])
    network, guessed = starting_network(stage, run)
    generator = torch.Generator().manual_seed(run["seed"])
    chosen = torch.randperm(len(stage.queries), generator=generator)[:run["budget"]]
    answers = stage.answers[chosen]
    targets = answers.softmax(1) if run["labels"] == "soft" else answers.argmax(1)
    groups = [{"params": [p for p in network.parameters() if p not in guessed], "lr": training.RATE},
              {"params": [p for p in network.parameters() if p in guessed], "lr": training.RATE * GUESSED_RATE}]
    training.fit(network, stage.queries[chosen], targets, epochs=stage.task["steal_epochs"], seed=run["seed"],
                 groups=[group for group in groups if group["params"]])
    with torch.no_grad():
        classes = network(stage.test[0]).argmax(1)
    return {"accuracy": (classes == stage.test[1]).float().mean().item(),
            "fidelity": (classes == stage.victim_classes).float().mean().item()}


def main():
    job = json.loads(pathlib.Path(sys.argv[1]).read_text())
    training.deterministic(0)
    stage = Stage(pathlib.Path(job["victim"]))
    results = [{**run, **steal(stage, run)} for run in job["runs"]]
    pathlib.Path(sys.argv[2]).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
