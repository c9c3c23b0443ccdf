"""Training that victims and substitutes share. One thread and a fixed seed give the same network again."""

import torch
from torch import nn

RATE = 1e-3
BATCH = 64


def batches(count, size, steps, generator):
    """Yields `steps` lists of indices: everything in a new order, again and again."""
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) == 0:
            order = torch.randperm(count, generator=generator)
        chosen, order = order[:size], order[size:]
        yield chosen


def loss_of(scores, targets):
    """Cross-entropy with labels (int64) or distributions (float) at every position: scores [batch, ..., classes]."""
    scores = scores.reshape(-1, scores.shape[-1])
    flat = targets.reshape(-1, scores.shape[-1]) if targets.is_floating_point() else targets.reshape(-1)
    return nn.functional.cross_entropy(scores, flat)


def fit(network, inputs, targets, *, steps, seed, parameters=None, forward=None, rate=RATE, batch=BATCH):
    """Trains for `steps` batches, at a rate that falls to nothing; returns the network in evaluation mode.

    parameters: those to train, in groups with rates of their own; all at `rate`, where none are given.
    forward: what gives the scores for `targets`; the network itself, where nothing is given.
    """
    forward = forward or network
    groups = parameters or [{"params": list(network.parameters()), "lr": rate}]
    for parameter in network.parameters():  # what is not trained needs no derivative
        parameter.requires_grad_(any(parameter is one for group in groups for one in group["params"]))
    optimiser = torch.optim.Adam(groups)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    network.train()
    for chosen in batches(len(inputs), batch, steps, torch.Generator().manual_seed(seed)):
        optimiser.zero_grad()
        loss_of(forward(inputs[chosen]), targets[chosen]).backward()
        optimiser.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def answers(network, inputs, rows=256):
    """The network's scores, a few hundred inputs at a time."""
    return torch.cat([network(inputs[i:i + rows]) for i in range(0, len(inputs), rows)])


def accuracy(network, inputs, labels):
    return (answers(network, inputs).argmax(-1) == labels).float().mean().item()


def deterministic(seed):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
