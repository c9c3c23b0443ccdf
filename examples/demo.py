#!/usr/bin/python3
"""Shows what Soter does on real input; scripts/demo builds it first and then calls this."""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np

DIGITS = pathlib.Path(__file__).resolve().parent / "digits"
SCHEMES = [("insecure", []), ("mlcapsule", []), ("soter", ["--theta", "0.8", "--fingerprint-rate", "1"])]
SHADES = " .:-=+*#%@"


class Demo:
    def __init__(self, build, cache, directory):
        self.soter = build / "soter"
        self.cache = cache
        self.directory = directory

    def call(self, *arguments):
        done = subprocess.run([self.soter, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"soter {arguments[0]} ended with exit code {done.returncode}")
        return done.stdout

    def run(self, model, *options):
        """Returns the only output and the report of a run."""
        out = self.directory / "out"
        report = json.loads(self.call("run", model, "--output-dir", out, "--json", *options))
        (output,) = report["outputs"].values()
        return np.load(output["file"]), report


def print_digit(image):
    for row in image:
        print("    " + "".join(SHADES[min(9, int(value * 9.99))] * 2 for value in row))


def print_heading(text):
    print(f"\n== {text}")


def milliseconds(report):
    latency = report["latency_ms"]
    parts = ", ".join(f"{name} {latency[name]:.2f}" for name in ("trusted", "accelerator", "switch", "check"))
    return f"{latency['total']['median']:9.2f} ms  ({parts})"


def checked(report):
    if report["verified"] is None:
        return "nothing to check" if report["scheme"] == "mlcapsule" else "nothing checked"
    word = "all passed" if report["verified"] else "not every result was checked"
    return f"{report['checks']['made']} checks, {word}"


def compare(demo, model, inputs, repeat):
    """Runs all schemes and prints how each compares with plain inference; returns the plain outputs."""
    plain = None
    for scheme, options in SCHEMES:
        output, report = demo.run(model, *inputs, "--scheme", scheme, "--repeat", repeat, *options)
        plain = output if plain is None else plain
        difference = np.abs(output - plain).max() / np.abs(plain).max()
        same = (output.argmax(1) == plain.argmax(1)).all()
        print(f"  {scheme:<10}{milliseconds(report)}")
        print(f"{'':12}difference to plain inference {difference:.1e} of the largest output, "
              f"{'same' if same else 'DIFFERENT'} answers; {checked(report)}")
        if difference > 1e-5 or not same:
            sys.exit("the outputs are not those of plain inference")
    return plain


def show_digits(demo):
    images, labels = np.load(DIGITS / "images.npy"), np.load(DIGITS / "labels.npy")
    model = DIGITS / "digits.onnx"
    print_heading(f"{len(labels)} handwritten digits, a network trained by examples/digits/train.py")
    print_digit(images[0, 0])
    logits = compare(demo, model, ["--input", f"image={DIGITS / 'images.npy'}"], 5)
    answers = logits.argmax(1)
    print(f"  prediction for the digit above: {answers[0]} (it is a {labels[0]})")
    print(f"  accuracy: {(answers == labels).mean():.4f} ({(answers == labels).sum()} of {len(labels)})")
    print_heading("What the accelerator saw (scheme soter, theta 1, one image)")
    one = demo.directory / "one.npy"
    np.save(one, images[:1])
    seen = demo.directory / "seen"
    print(demo.call("view", model, "-o", seen, "--theta", "1", "--input", f"image={one}"), end="")


def show_large(demo, name, repeat):
    print_heading(f"{name} at 1x3x224x224, seeded weights")
    demo.cache.mkdir(parents=True, exist_ok=True)
    model = demo.cache / f"{name}.onnx"
    if not model.exists():
        demo.call("zoo", name, "-o", model)
    compare(demo, model, ["--random"], repeat)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path(".cache"))
    parser.add_argument("--small", action="store_true", help="the digits only")
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="soter-demo-"))
    try:
        demo = Demo(options.build.resolve(), options.cache.resolve(), directory)
        show_digits(demo)
        if not options.small:
            for name, repeat in (("alexnet", 10), ("vgg19", 5)):
                show_large(demo, name, repeat)
        print_heading("What this does not protect")
        print("  The TEE here is a plain process: it protects nothing against this machine's owner.")
        print("  README.md and docs/threat-model.md say what each scheme hides, and what not.")
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
