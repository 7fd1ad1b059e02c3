"""A model, its data and short ramps for the range tests of torch models."""

import math
from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader

from gradstep import LRFinder

Finder = partial(LRFinder, 1e-4, 0.1, 12, diverge=math.inf)


class Net(nn.Module):
    """A model with all kinds of state that a range test could change: dropout, batch statistics, a replaced buffer."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)
        self.register_buffer("seen", torch.zeros(1), persistent=False)

    def forward(self, x):
        self.seen = self.seen + 1
        return self.last(nn.functional.dropout(self.norm(self.first(x)), 0.2, self.training))


def make_loader(generator=None, n=40):
    x = torch.randn(n, 6, generator=torch.Generator().manual_seed(1))
    return DataLoader(list(zip(x, x.sum(1, keepdim=True), strict=True)), 8, shuffle=True, generator=generator)


def groups(net):
    return [
        {"params": net.first.parameters(), "lr": 0.02},
        {"params": [*net.norm.parameters(), *net.last.parameters()]},
    ]
