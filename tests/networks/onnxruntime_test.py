#!/usr/bin/python3
"""Every network against ONNX Runtime; exit code 77 (skipped) where npm cannot fetch it.
Usage: onnxruntime_test.py [NETWORK ...]"""

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

import networks
from onnxruntime import Missing, OnnxRuntime

SKIPPED = 77
CHOSEN = ("mlp", "mlp6400", "densenet121", "transformer", "alexnet", "resnet152", "vgg19")


def run_soter(model, inputs, directory):
    out = pathlib.Path(directory) / "out"
    subprocess.run([networks.BUILD / "soter", "run", model, *networks.input_options(inputs), "--scheme", "mlcapsule",
                    "--output-dir", out], check=True, stdout=subprocess.DEVNULL)
    files = list(out.glob("*.npy"))
    value = np.load(files[0])
    files[0].unlink()
    return value


def compare(name, peer, directory):
    """Returns whether the network agrees with ONNX Runtime for all of its shapes."""
    network, model, agrees = networks.NETWORKS[name], networks.model_file(name), True
    for dims in network.dims:
        inputs = networks.write_inputs(name, dims, directory)
        (reference,), _, _ = peer.run(model, inputs)
        off = networks.difference(run_soter(model, inputs, directory), reference)
        good = off <= network.bound
        agrees = agrees and good
        print(f"{'ok  ' if good else 'FAIL'} {name} {dims}: {off:.1e}, at most {network.bound:.0e}", flush=True)
    peer.forget()
    return agrees


def main():
    with tempfile.TemporaryDirectory(prefix="soter-networks-") as directory:
        try:
            peer = OnnxRuntime(directory)
        except Missing as reason:
            print(f"SKIPPED: no comparison with ONNX Runtime was made: {reason}")
            return SKIPPED
        with peer:
            results = [compare(name, peer, directory) for name in sys.argv[1:] or CHOSEN]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
