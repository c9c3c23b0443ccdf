"""The victims' networks: torch modules whose weight-bearing layers stand in the order of execution."""

import numpy as np
import torch
from torch import nn


class DigitsNet(nn.Sequential):
    """8x8 images to 5 classes: 1.9 million multiply-adds, 95% of them in two convolutions."""

    def __init__(self, width):
        super().__init__(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * width, 64), nn.ReLU(), nn.Linear(64, 5))


class GlyphNet(nn.Sequential):
    """16x16 images to 36 classes: 3.5 million multiply-adds, 97% of them in three convolutions."""

    def __init__(self, width):
        super().__init__(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * width, 96), nn.ReLU(), nn.Linear(96, 36))


def make(task, small, width=1):
    """Returns the network of a task with fresh weights; `width` widens it for attackers that need not copy its shape."""
    if task == "digits":
        return DigitsNet(32 * width)
    if task == "glyphs":
        return GlyphNet((12 if small else 24) * width)
    raise ValueError(f"there is no task {task}")


def linear_layers(network):
    """Returns the layers that bear weights, in the order of execution."""
    return [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def load_guess(network, directory):
    """Puts a guess of the audit (docs/spec/attack-program.md) into the network; returns the parameters it replaced."""
    replaced = set()
    with torch.no_grad():
        for index, layer in enumerate(linear_layers(network)):
            for name in ("weight", "bias"):
                path = directory / f"{index}.{name}.npy"
                if path.exists():
                    parameter = getattr(layer, name)
                    parameter.copy_(torch.from_numpy(np.load(path)).reshape(parameter.shape))
                    replaced.add(parameter)
    return replaced
