"""The networks that the tests and the benchmark run: where their files are, what they take, how closely two ways of
computing them must agree."""

import dataclasses
import os
import pathlib
import subprocess

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SOTER_BUILD_DIR", ROOT / "build"))


@dataclasses.dataclass(frozen=True)
class Network:
    """`inputs` maps each name to its shape; a string in a shape names a dimension that the caller fixes."""
    inputs: dict
    bound: float  # of the largest difference, relative to the largest output
    dims: tuple = ({"batch": 1}, {"batch": 3})  # one model file serves all of these


IMAGE = {"image": ("batch", 3, 224, 224)}


def sequences(width):
    return {"src": ("batch", "src_length", width), "tgt": ("batch", "tgt_length", width)}


LENGTHS = ({"batch": 1, "src_length": 64, "tgt_length": 64}, {"batch": 3, "src_length": 17, "tgt_length": 5},
           {"batch": 1, "src_length": 1, "tgt_length": 33})

NETWORKS = {
    "mlp": Network({"x": ("batch", 784)}, 1e-5),
    "mlp6400": Network({"x": ("batch", 6400)}, 1e-5),
    "alexnet": Network(IMAGE, 1e-5),
    "vgg19": Network(IMAGE, 1e-5),
    "resnet152": Network(IMAGE, 1e-4),
    "densenet121": Network(IMAGE, 1e-4),
    "transformer": Network(sequences(512), 1e-4, LENGTHS),
    "transformer-large": Network(sequences(1024), 1e-4, LENGTHS),
}


def model_file(name):
    """The network as ONNX, written anew when the program that writes it is newer."""
    soter = BUILD / "soter"
    path = BUILD / "networks" / f"{name}.onnx"
    if not path.exists() or path.stat().st_mtime < soter.stat().st_mtime:
        path.parent.mkdir(exist_ok=True)
        subprocess.run([soter, "zoo", name, "-o", path], check=True, stdout=subprocess.DEVNULL)
    return path


def write_inputs(name, dims, directory, seed=1):
    """Writes random inputs as .npy files; returns {name: path}."""
    random = np.random.default_rng(seed)
    files = {}
    for port, shape in NETWORKS[name].inputs.items():
        extents = [dims[extent] if isinstance(extent, str) else extent for extent in shape]
        files[port] = pathlib.Path(directory) / f"{port}.npy"
        np.save(files[port], random.standard_normal(extents, np.float32))
    return files


def input_options(inputs):
    """The options that give soter the files of write_inputs."""
    return [word for port, path in inputs.items() for word in ("--input", f"{port}={path}")]


def difference(value, reference):
    """The largest difference relative to the largest reference value; infinite when they cannot be compared."""
    if value.shape != reference.shape or not np.isfinite(value).all():
        return float("inf")
    return float(np.abs(value - reference).max() / np.abs(reference).max())
