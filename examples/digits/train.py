#!/usr/bin/python3
"""Trains the digits network of this directory and writes digits.onnx, images.npy and labels.npy.

The data is the optical recognition of handwritten digits set (8x8 images, 0 to 16) that Debian's python3-sklearn
carries; NumPy does the arithmetic. One seed fixes the split, the weights and the order, so a second run writes the
same network. Needs: python3-numpy python3-sklearn python3-onnx. Takes about a minute.

    conv 3x3x16, relu, conv 3x3x32, relu, maxpool 2x2, linear 64, relu, linear 10
"""

import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

HELD_OUT = 360


def load_data(rng):
    """Returns training and held-out images [n, 1, 8, 8] in 0..1 and labels [n], split at random."""
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)[:, None]
    order = rng.permutation(len(images))
    images, labels = images[order], digits.target[order].astype(np.int64)
    return images[HELD_OUT:], labels[HELD_OUT:], images[:HELD_OUT], labels[:HELD_OUT]


class Conv:
    """3x3 convolution with one pixel of zeros around, as a product with the image's patches."""

    def __init__(self, rng, c_in, c_out):
        self.w = rng.normal(0, np.sqrt(2 / (9 * c_in)), (c_out, c_in, 3, 3)).astype(np.float32)
        self.b = np.zeros(c_out, np.float32)

    def forward(self, x):
        n, c, h, w = x.shape
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        self.patches = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, h * w, c * 9)
        self.shape = x.shape
        y = self.patches @ self.w.reshape(len(self.w), -1).T + self.b
        return y.transpose(0, 2, 1).reshape(n, len(self.w), h, w)

    def backward(self, dy):
        n, c, h, w = self.shape
        dy = dy.reshape(n, len(self.w), h * w).transpose(0, 2, 1)
        self.grads = [np.einsum("npm,npk->mk", dy, self.patches, optimize=True).reshape(self.w.shape),
                      dy.sum((0, 1))]
        patches = (dy @ self.w.reshape(len(self.w), -1)).reshape(n, h, w, c, 3, 3)
        dx = np.zeros((n, c, h + 2, w + 2), np.float32)
        for i in range(3):
            for j in range(3):
                dx[:, :, i:i + h, j:j + w] += patches[..., i, j].transpose(0, 3, 1, 2)
        return dx[:, :, 1:-1, 1:-1]


class Linear:
    def __init__(self, rng, k, n):
        self.w = rng.normal(0, np.sqrt(2 / k), (n, k)).astype(np.float32)
        self.b = np.zeros(n, np.float32)

    def forward(self, x):
        self.x = x
        return x @ self.w.T + self.b

    def backward(self, dy):
        self.grads = [dy.T @ self.x, dy.sum(0)]
        return dy @ self.w


class Relu:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class MaxPool:
    """2x2, stride 2; of equal values the first gets the gradient."""

    def forward(self, x):
        n, c, h, w = x.shape
        cells = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)
        self.shape, self.best = x.shape, cells.argmax(-1)
        return cells.max(-1)

    def backward(self, dy):
        n, c, h, w = self.shape
        cells = np.where(np.arange(4) == self.best[..., None], dy[..., None], 0)
        return cells.reshape(n, c, h // 2, w // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(self.shape)


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


class Adam:
    def __init__(self, layers):
        self.layers = [layer for layer in layers if hasattr(layer, "w")]
        self.moments = [[np.zeros_like(p) for p in (l.w, l.b) for _ in range(2)] for l in self.layers]
        self.step_count = 0

    def step(self, rate):
        self.step_count += 1
        for layer, moments in zip(self.layers, self.moments):
            for i, parameter in enumerate((layer.w, layer.b)):
                first, second, grad = moments[2 * i], moments[2 * i + 1], layer.grads[i]
                first += 0.1 * (grad - first)
                second += 0.001 * (grad * grad - second)
                scale = np.sqrt(second / (1 - 0.999 ** self.step_count)) + 1e-8
                parameter -= (rate / (1 - 0.9 ** self.step_count)) * first / scale


def forward(layers, x):
    for layer in layers:
        x = layer.forward(x)
    return x


def train(layers, images, labels, rng, epochs):
    adam = Adam(layers)
    for epoch in range(epochs):
        rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        order = rng.permutation(len(images))
        for start in range(0, len(order), 32):
            batch = order[start:start + 32]
            x = np.roll(images[batch], tuple(rng.integers(-1, 2, 2)), (2, 3))
            logits = forward(layers, x)
            p = np.exp(logits - logits.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            p[np.arange(len(batch)), labels[batch]] -= 1
            gradient = (p / len(batch)).astype(np.float32)
            for layer in reversed(layers):
                gradient = layer.backward(gradient)
            adam.step(rate)


def to_onnx(layers):
    """Returns the network as ONNX with a symbolic batch dimension."""
    nodes, initializers, value = [], [], "image"
    for index, layer in enumerate(layers):
        last = index == len(layers) - 1
        inputs, output = [value], "logits" if last else f"value{index}"
        kind, attributes = type(layer).__name__, {}
        if kind in ("Conv", "Linear"):
            for suffix, array in (("weight", layer.w), ("bias", layer.b)):
                initializers.append(numpy_helper.from_array(array, f"layer{index}.{suffix}"))
                inputs.append(f"layer{index}.{suffix}")
        if kind == "Conv":
            attributes = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
        elif kind == "Linear":
            kind, attributes = "Gemm", {"transB": 1}
        elif kind == "MaxPool":
            attributes = {"kernel_shape": [2, 2], "strides": [2, 2]}
        nodes.append(helper.make_node(kind, inputs, [output], name=f"{kind.lower()}{index}", **attributes))
        value = output
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])], initializers)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)],
                             producer_name="examples/digits/train.py")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output-dir", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=40)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    images, labels, test_images, test_labels = load_data(rng)
    layers = [Conv(rng, 1, 16), Relu(), Conv(rng, 16, 32), Relu(), MaxPool(), Flatten(), Linear(rng, 512, 64), Relu(),
              Linear(rng, 64, 10)]
    train(layers, images, labels, rng, options.epochs)
    accuracy = (forward(layers, test_images).argmax(1) == test_labels).mean()
    onnx.save(to_onnx(layers), str(options.output_dir / "digits.onnx"))
    np.save(options.output_dir / "images.npy", test_images)
    np.save(options.output_dir / "labels.npy", test_labels)
    print(f"accuracy on {len(test_labels)} held-out images: {accuracy:.4f}")


if __name__ == "__main__":
    main()
