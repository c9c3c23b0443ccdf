#!/usr/bin/python3
"""Trains a victim of the audit and its public ancestor, and writes what the audit needs about both.

    train.py TASK OUTPUT-DIRECTORY [--small] [--seed N]

Writes ancestor.onnx and victim.onnx (one architecture, the victim fine-tuned from the ancestor on private data), the
same for torch (.pt), and arrays: test-inputs, test-labels; query-inputs, query-labels (what the adversary may ask; never
trained on); member-inputs, member-labels (the victim was trained on these). victim.json, written last, says how well
both do. Needs python3-torch.
"""

import argparse
import json
import pathlib

import numpy as np
import torch

import networks
import training

HERE = pathlib.Path(__file__).parent


def digits(rng, small):
    """Handwritten digits (UCI, 8x8, 0 to 16; Alpaydin and Kaynak 1998). Public: 0 to 4. Private: 5 to 9."""
    data = np.load(HERE / "digits.npz")
    images = (data["images"].astype(np.float32) / 16)[:, None]
    labels = data["labels"].astype(np.int64)
    private = rng.permutation(np.flatnonzero(labels >= 5))
    parts = zip(("member", "query", "test"), np.split(private, [350, 650]))
    split = {name: (images[part], labels[part] - 5) for name, part in parts}
    split["public"] = (images[labels < 5], labels[labels < 5])
    return split, {"public_epochs": 12, "private_epochs": 20, "steal_epochs": 30}


def glyph_images(rng, small):
    """Characters in Debian's fonts, 36 classes. Public: Cyrillic. Private: Latin letters and figures."""
    import glyphs
    sizes = {"public": 2000, "member": 1500, "query": 1000, "test": 500} if small else \
            {"public": 6000, "member": 4000, "query": 2000, "test": 1000}
    split = {name: glyphs.make(rng, glyphs.PUBLIC if name == "public" else glyphs.PRIVATE, count)
             for name, count in sizes.items()}
    return split, {"public_epochs": 8, "private_epochs": 10, "steal_epochs": 30}


TASKS = {"digits": digits, "glyphs": glyph_images}


def as_tensors(pair):
    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in pair)


def save(network, example, output, name):
    torch.save(network.state_dict(), output / f"{name}.pt")
    torch.onnx.export(network, example, str(output / f"{name}.onnx"), input_names=["input"], output_names=["scores"],
                      opset_version=13, dynamic_axes={"input": {0: "batch"}, "scores": {0: "batch"}})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--small", action="store_true", help="a smaller network")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    training.deterministic(options.seed)
    split, effort = TASKS[options.task](np.random.default_rng(options.seed), options.small)
    split = {name: as_tensors(pair) for name, pair in split.items()}
    options.output.mkdir(parents=True, exist_ok=True)
    example = split["test"][0][:1]
    network = networks.make(options.task, options.small)
    training.fit(network, *split["public"], epochs=effort["public_epochs"], seed=options.seed)
    save(network, example, options.output, "ancestor")
    report = {"task": options.task, "small": options.small, "seed": options.seed,
              "steal_epochs": effort["steal_epochs"], "ancestor_accuracy": training.accuracy(network, *split["test"])}
    training.fit(network, *split["member"], epochs=effort["private_epochs"], seed=options.seed)
    save(network, example, options.output, "victim")
    report["victim_accuracy"] = training.accuracy(network, *split["test"])
    report["victim_accuracy_on_members"] = training.accuracy(network, *split["member"])
    for name in ("member", "query", "test"):
        for kind, tensor in zip(("inputs", "labels"), split[name]):
            np.save(options.output / f"{name}-{kind}.npy", tensor.numpy())
    (options.output / "victim.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
