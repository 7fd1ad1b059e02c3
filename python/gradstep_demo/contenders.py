"""The two libraries that train each model: gradstep, and torch at its fastest."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import nn

from gradstep import optim
from gradstep_demo.settings import Settings, Span


class Contender:
    """An optimizer, what must be called for one update, and the time that this took."""

    def __init__(self, optimizer: Any, *calls: Callable[[], object]) -> None:
        self.optimizer = optimizer
        self.calls = calls
        self.seconds = 0.0

    @property
    def rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def update(self) -> None:
        start = perf_counter()
        for call in self.calls:
            call()
        self.seconds += perf_counter() - start


@dataclass(frozen=True)
class Library:
    """A name, and how a model's optimizer is made under it."""

    name: str
    optimizer: Callable[[Settings, nn.Module, Span], Contender]


def with_gradstep(settings: Settings, model: nn.Module, span: Span) -> Contender:
    make = getattr(optim, settings.optimizer)
    optimizer = make(model.parameters(), lr=settings.lr(span), **settings.options)
    return Contender(optimizer, optimizer.step, optimizer.zero_grad)


def with_torch(settings: Settings, model: nn.Module, span: Span) -> Contender:
    make = getattr(torch.optim, settings.optimizer)
    fused = {"fused": True} if "fused" in inspect.signature(make).parameters else {}
    lr = settings.lr(span)
    if not callable(lr):
        optimizer = make(model.parameters(), lr=lr, **settings.options, **fused)
        return Contender(optimizer, optimizer.step, optimizer.zero_grad)
    optimizer = make(model.parameters(), lr=1.0, **settings.options, **fused)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr)  # a factor on the rate of 1
    return Contender(optimizer, optimizer.step, scheduler.step, optimizer.zero_grad)


GRADSTEP = Library("gradstep", with_gradstep)
TORCH = Library("torch", with_torch)
