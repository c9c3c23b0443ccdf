"""Training that victims and substitutes share. One thread and a fixed seed give the same network again."""

import torch
from torch import nn

RATE = 1e-3
BATCH = 64


def fit(network, inputs, targets, *, epochs, seed, groups=None):
    """Trains on labels (int64) or on distributions (float); returns the network in evaluation mode.

    groups: parameters and their rates, where they differ.
    """
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(groups or network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    loss_of = nn.CrossEntropyLoss()
    network.train()
    for _ in range(epochs):
        order = torch.randperm(len(inputs), generator=generator)
        for start in range(0, len(order), BATCH):
            chosen = order[start:start + BATCH]
            optimiser.zero_grad()
            loss_of(network(inputs[chosen]), targets[chosen]).backward()
            optimiser.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def accuracy(network, inputs, labels):
    return (network(inputs).argmax(1) == labels).float().mean().item()


def deterministic(seed):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
