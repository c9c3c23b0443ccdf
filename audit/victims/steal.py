#!/usr/bin/python3
"""Trains substitutes for a victim from what an adversary has, and judges them.

    steal.py JOB.json RESULT.json

JOB: {"victim": DIRECTORY, "observed": QUERIES, "runs": [{"id": TEXT, "start": one of those below,
      "guess": DIRECTORY or null, "budget": QUERIES, "labels": "soft" | "hard", "seed": NUMBER}, ...]}
RESULT: the same list with "accuracy", "fidelity" and "membership" on data which no adversary sees.

A run asks the victim `budget` queries from its own pool, those that it observed first, gets scores (soft) or the best
class (hard), and trains:
  guess   from the public ancestor with what an attack found put in; guessed layers move at a tenth of the rate
  public  from the public ancestor: the black-box attacker
  head    from the public ancestor, of which only the last layer is trained
  random  from nothing: the black-box attacker without an ancestor
  larger  a network twice as wide, from nothing
Where the victim's classes are not the ancestor's, its last layer says nothing: whoever has not guessed it starts with a
fresh one, which moves five times as fast.
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
FRESH_RATE = 5
STEPS = 100
BATCH = 32


def load(directory, name):
    return torch.from_numpy(np.load(directory / f"{name}.npy"))


class Stage:
    """One victim with its data; what the adversary may use are `ancestor_state`, `queries` and `answers`."""

    def __init__(self, directory):
        self.directory = directory
        self.report = json.loads((directory / "victim.json").read_text())
        victim = self.make()
        victim.load_state_dict(torch.load(directory / "victim.pt"))
        self.ancestor_state = torch.load(directory / "ancestor.pt")
        self.queries = load(directory, "query-inputs")
        self.answers = training.answers(victim.eval(), self.queries)
        self.test, self.labels = load(directory, "test-inputs"), load(directory, "test-labels")
        self.members = load(directory, "member-inputs")
        self.victim_classes = training.answers(victim, self.test).argmax(1)

    def make(self, width=1):
        return networks.make(self.report["task"], self.report["small"], width)


def starting_network(stage, run):
    """Returns the network and its parameters in groups to train, each with its rate."""
    rate = stage.report["rate"]
    if run["start"] in ("random", "larger"):
        network = stage.make(width=2 if run["start"] == "larger" else 1)
        return network, [{"params": list(network.parameters()), "lr": rate}]
    network = stage.make()
    network.load_state_dict(stage.ancestor_state)
    guessed = networks.load_guess(network, pathlib.Path(run["guess"])) if run["start"] == "guess" else set()
    head = networks.linear_layers(network)[-1]
    fresh = set(head.parameters()) if stage.report["new_classes"] and not guessed & set(head.parameters()) else set()
    if fresh:
        head.reset_parameters()
    trained = head.parameters() if run["start"] == "head" else network.parameters()
    rates = {p: rate * (GUESSED_RATE if p in guessed else FRESH_RATE if p in fresh else 1) for p in trained}
    return network, [{"params": [p], "lr": rates[p]} for p in rates]


def chosen_queries(stage, run, observed):
    """The adversary's queries: what it saw cross, and others from its pool up to its budget."""
    generator = torch.Generator().manual_seed(run["seed"])
    first = min(observed, run["budget"])
    others = first + torch.randperm(len(stage.queries) - first, generator=generator)
    return torch.cat([torch.arange(first), others])[:run["budget"]]


def membership(members, others):
    """Balanced accuracy of calling a member whatever the substitute is sure of; the threshold is found on one half."""
    members, others = (scores.softmax(1).amax(1) for scores in (members, others))

    def balanced(threshold, half):
        return 0.5 * ((members[half::2] >= threshold).float().mean() + (others[half::2] < threshold).float().mean())

    thresholds = torch.cat([members[::2], others[::2]]).quantile(torch.linspace(0, 1, 101))
    return balanced(max(thresholds, key=lambda threshold: balanced(threshold, 0)), 1).item()


def steal(stage, run, observed):
    torch.manual_seed(run["seed"])
    network, groups = starting_network(stage, run)
    chosen = chosen_queries(stage, run, observed)
    answers = stage.answers[chosen]
    targets = answers.softmax(1) if run["labels"] == "soft" else answers.argmax(1)
    training.fit(network, stage.queries[chosen], targets, steps=STEPS, batch=BATCH, seed=run["seed"], parameters=groups)
    scores = training.answers(network, stage.test)
    classes = scores.argmax(1)
    return {"accuracy": (classes == stage.labels).float().mean().item(),
            "fidelity": (classes == stage.victim_classes).float().mean().item(),
            "membership": membership(training.answers(network, stage.members), scores)}


def main():
    job = json.loads(pathlib.Path(sys.argv[1]).read_text())
    training.deterministic(0)
    stage = Stage(pathlib.Path(job["victim"]))
    results = [{**run, **steal(stage, run, job["observed"])} for run in job["runs"]]
    pathlib.Path(sys.argv[2]).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
