#!/usr/bin/python3
"""Trains a victim of the audit and its public ancestor, and writes what the audit needs about both.

    train.py TASK OUTPUT-DIRECTORY [--small] [--seed N]
    train.py OUTPUT-DIRECTORY --private-layers K --from VICTIM-DIRECTORY

Writes ancestor.onnx and victim.onnx (one architecture, the victim fine-tuned from the ancestor on private data), the
same for torch (.pt), and arrays: test-inputs, test-labels; query-inputs, query-labels (what the adversary may ask; never
trained on); member-inputs, member-labels (the victim was trained on these). victim.json, written last, says how well
both do. Fine-tuning changes the layers that bear weights; embeddings and layer norms stay the ancestor's.

The second form is eNNclave's preparation of a victim: all but its last K layers stay the ancestor's, and only those K
are trained on the private data. Needs python3-torch.
"""

import argparse
import json
import pathlib
import shutil

import numpy as np
import torch

import networks
import training

ENNCLAVE_EFFORT = 3  # few layers have to do what all of them do otherwise: longer, and at a greater rate
HERE = pathlib.Path(__file__).parent
PARTS = ("member", "query", "test")
ARRAYS = [f"{name}-{kind}.npy" for name in PARTS for kind in ("inputs", "labels")]


def digits(rng, small):
    """Handwritten digits (UCI, 8x8, 0 to 16; Alpaydin and Kaynak 1998). Public: 0 to 4. Private: 5 to 9."""
    data = np.load(HERE / "digits.npz")
    images = (data["images"].astype(np.float32) / 16)[:, None]
    labels = data["labels"].astype(np.int64)
    private = rng.permutation(np.flatnonzero(labels >= 5))
    parts = zip(PARTS, np.split(private, [350, 650]))
    split = {name: (images[part], labels[part] - 5) for name, part in parts}
    split["public"] = (images[labels < 5], labels[labels < 5])
    return split, {"public_steps": 180, "private_steps": 160, "rate": 1e-3, "new_classes": True, "budgets": [20, 60]}


def glyph_images(rng, small):
    """Characters in Debian's fonts, 36 classes. Public: Cyrillic. Private: Latin letters and figures."""
    import glyphs
    sizes = {"public": 2000, "member": 1500, "query": 1000, "test": 500} if small else \
            {"public": 6000, "member": 4000, "query": 2000, "test": 1000}
    split = {name: glyphs.make(rng, glyphs.PUBLIC if name == "public" else glyphs.PRIVATE, count)
             for name, count in sizes.items()}
    return split, {"public_steps": 700, "private_steps": 600, "rate": 3e-3, "new_classes": True, "budgets": [100, 500]}


def passages(rng, small):
    """The letter that follows a passage of Debian's documentation. Public: prose. Private: who holds the copyright."""
    import text
    split = text.make(rng, {"member": 0.6, "query": 0.2, "test": 0.2})
    return split, {"public_steps": 300 if small else 800, "private_steps": 100 if small else 300, "rate": 2e-3,
                   "new_classes": False, "budgets": [100, 500]}


TASKS = {"digits": digits, "glyphs": glyph_images, "text": passages}


def as_tensors(pair):
    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in pair)


def save(network, example, output, name):
    torch.save(network.state_dict(), output / f"{name}.pt")
    torch.onnx.export(network, example, str(output / f"{name}.onnx"), input_names=["input"], output_names=["scores"],
                      opset_version=13, dynamic_axes={"input": {0: "batch"}, "scores": {0: "batch"}})


def fit(network, pair, steps, report, **options):
    """Trains as its owner does: with every answer that the data has."""
    each = pair[1].dim() > 1
    training.fit(network, *pair, steps=steps, seed=report["seed"], rate=report["rate"],
                 forward=network.after_each if each else network, **options)


def fine_tune(network, member, test, report, first=0, effort=1):
    """Trains the layers that bear weights, from layer `first` on, on the private data; adds how well it does."""
    trained = [{"params": networks.linear_parameters(network, first), "lr": effort * report["rate"]}]
    fit(network, member, effort * report["private_steps"], report, parameters=trained)
    report["victim_accuracy"] = training.accuracy(network, test[0], last(test[1]))
    report["victim_accuracy_on_members"] = training.accuracy(network, member[0], last(member[1]))


def last(labels):
    return labels[:, -1] if labels.dim() > 1 else labels


def write_report(report, output):
    (output / "victim.json").write_text(json.dumps(report, indent=2) + "\n")


def train(options):
    split, effort = TASKS[options.task](np.random.default_rng(options.seed), options.small)
    split = {name: as_tensors(pair) for name, pair in split.items()}
    report = {"task": options.task, "small": options.small, "seed": options.seed, **effort}
    network = networks.make(options.task, options.small)
    fit(network, split["public"], effort["public_steps"], report)
    save(network, split["test"][0][:1], options.output, "ancestor")
    report["ancestor_accuracy"] = training.accuracy(network, split["test"][0], last(split["test"][1]))
    fine_tune(network, split["member"], split["test"], report)
    save(network, split["test"][0][:1], options.output, "victim")
    for name in PARTS:
        for kind, tensor in zip(("inputs", "labels"), split[name]):
            np.save(options.output / f"{name}-{kind}.npy", (tensor if kind == "inputs" else last(tensor)).numpy())
    if split["member"][1].dim() > 1:
        np.save(options.output / "member-every-label.npy", split["member"][1].numpy())
    write_report(report, options.output)


def prepare_for_ennclave(options):
    source = options.source
    report = json.loads((source / "victim.json").read_text())
    every = source / "member-every-label.npy"
    labels = every if every.exists() else source / "member-labels.npy"
    member = as_tensors((np.load(source / "member-inputs.npy"), np.load(labels)))
    test = as_tensors((np.load(source / "test-inputs.npy"), np.load(source / "test-labels.npy")))
    network = networks.make(report["task"], report["small"])
    network.load_state_dict(torch.load(source / "ancestor.pt"))
    report["private_layers"] = options.private_layers
    first = len(networks.linear_layers(network)) - options.private_layers
    fine_tune(network, member, test, report, first, ENNCLAVE_EFFORT)
    save(network, test[0][:1], options.output, "victim")
    for name in ["ancestor.onnx", "ancestor.pt", *ARRAYS]:
        shutil.copy(source / name, options.output / name)
    write_report(report, options.output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=TASKS, nargs="?")
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--small", action="store_true", help="a smaller network")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--private-layers", type=int, help="of a victim for eNNclave")
    parser.add_argument("--from", type=pathlib.Path, dest="source", help="the directory of the victim to prepare")
    options = parser.parse_args()
    if (options.task is None) == (options.private_layers is None) or (options.source is None) == (options.task is None):
        parser.error("give a task, or --private-layers and --from")
    training.deterministic(options.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    if options.task is None:
        prepare_for_ennclave(options)
    else:
        train(options)


if __name__ == "__main__":
    main()
