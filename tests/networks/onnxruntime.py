"""ONNX Runtime's CPU provider, as `onnxruntime-node` brings it, for comparison."""

import json
import os
import pathlib
import shutil
import subprocess

import numpy as np

import networks

VERSION = "1.30.0"


class Missing(Exception):
    """ONNX Runtime cannot be had here; the message says why."""


def install():
    """Fetches the package once into the build directory; returns where it is."""
    directory = networks.BUILD / "onnxruntime"
    package = directory / "node_modules/onnxruntime-node"
    if (package / "package.json").exists():
        return package
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed")
    directory.mkdir(exist_ok=True)
    environment = {**os.environ, "ONNXRUNTIME_NODE_INSTALL": "skip"}  # its script looks for CUDA files only
    command = ["npm", "install", "--prefix", directory, "--no-audit", "--no-fund", f"onnxruntime-node@{VERSION}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise Missing("npm cannot fetch onnxruntime-node: " + done.stderr.strip().splitlines()[-1])
    return package


class OnnxRuntime:
    """A process that keeps models loaded. Use it in a `with` statement. Raises Missing."""

    def __init__(self, directory):
        package = install()
        self.directory = pathlib.Path(directory)
        script = pathlib.Path(__file__).with_name("onnxruntime_peer.js")
        self.process = subprocess.Popen(["node", script, package], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply

    def run(self, model, inputs, threads=2, repeat=1):
        """Runs `model` on .npy files; returns the outputs, the milliseconds of each run and those of loading."""
        tensors = {}
        for name, path in inputs.items():
            raw = self.directory / f"ort-{name}.raw"
            array = np.load(path)
            array.tofile(raw)
            tensors[name] = {"shape": array.shape, "file": str(raw)}
        reply = self.ask({"model": str(model), "threads": threads, "inputs": tensors, "repeat": repeat,
                          "outputs": str(self.directory)})
        outputs = [np.fromfile(output["file"], np.float32).reshape(output["shape"]) for output in reply["outputs"]]
        return outputs, reply["milliseconds"], reply["load_ms"]

    def forget(self):
        """Releases all loaded models."""
        self.ask({"forget": True})
