"""The victims' networks: torch modules whose weight-bearing layers stand in the order of execution."""

import numpy as np
import torch
from torch import nn

import text


class DigitsNet(nn.Sequential):
    """8x8 images to 5 classes: 1.9 million multiply-adds, 95% of them in two convolutions."""

    def __init__(self, width):
        super().__init__(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * width, 64), nn.ReLU(), nn.Linear(64, 5))


class GlyphNet(nn.Sequential):
    """16x16 images to 36 classes: 1.3 million multiply-adds, 92% of them in four convolutions."""

    def __init__(self, width):
        super().__init__(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(2 * width, 4 * width, 3, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(64 * width, 96), nn.ReLU(), nn.Linear(96, 36))


class Attention(nn.Module):
    """Self-attention in which a letter sees those before it."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.width = heads, width
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.register_buffer("mask", torch.full((text.LENGTH, text.LENGTH), -1e4).triu(1))

    def split(self, x):
        return x.reshape(-1, text.LENGTH, self.heads, self.width // self.heads).transpose(1, 2)

    def forward(self, x):
        query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = query @ key.transpose(2, 3) * (self.width // self.heads) ** -0.5 + self.mask
        mixed = scores.softmax(-1) @ value
        return self.out(mixed.transpose(1, 2).reshape(-1, text.LENGTH, self.width))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.before_attention, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.before_inner, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        x = x + self.attention(self.before_attention(x))
        return x + self.down(nn.functional.gelu(self.up(self.before_inner(x))))


class TextNet(nn.Module):
    """24 letters to the one that follows: a Transformer of two blocks, 1.5 million multiply-adds."""

    def __init__(self, width, blocks=2, heads=4):
        super().__init__()
        self.letters = nn.Embedding(len(text.ALPHABET), width)
        self.places = nn.Parameter(0.02 * torch.randn(text.LENGTH, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(blocks)))
        self.last_norm, self.scores = nn.LayerNorm(width), nn.Linear(width, len(text.ALPHABET))

    def inner(self, letters):
        return self.last_norm(self.blocks(self.letters(letters) + self.places))

    def forward(self, letters):
        return self.scores(self.inner(letters)[:, -1])

    def after_each(self, letters):
        """Scores for what follows each letter: its owner trains with all of them, who asks gets the last."""
        return self.scores(self.inner(letters))


def make(task, small, width=1):
    """Returns the network of a task with fresh weights; `width` widens it for attackers that need not copy its shape."""
    if task == "digits":
        return DigitsNet(32 * width)
    if task == "glyphs":
        return GlyphNet((8 if small else 16) * width)
    if task == "text":
        return TextNet((32 if small else 48) * width)
    raise ValueError(f"there is no task {task}")


def linear_layers(network):
    """Returns the layers that bear weights, in the order of execution."""
    return [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def linear_parameters(network, first=0):
    """Returns the parameters of those layers, from layer `first` on."""
    return [parameter for layer in linear_layers(network)[first:] for parameter in layer.parameters()]


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
