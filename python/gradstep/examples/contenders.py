"""The two libraries that train each model: gradstep, and torch at its fastest."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter

import torch
from torch.nn import Parameter

from gradstep import optim

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class Settings:
    """How to train. `rate` is a number, or makes a schedule from the number of updates."""

    name: str
    optimizer: str
    rate: float | Callable[[int], Schedule]
    batch: int
    epochs: int
    options: Mapping[str, float] = field(default_factory=dict)
    label_smoothing: float = 0.0

    def lr(self, updates: int) -> float | Schedule:
        return self.rate(updates) if callable(self.rate) else self.rate

    def describe(self, updates: int) -> dict[str, object]:
        lr = self.lr(updates)
        return {
            "optimizer": self.optimizer,
            "lr": repr(lr) if callable(lr) else lr,
            **self.options,
            "batch": self.batch,
            "epochs": self.epochs,
            **({"label_smoothing": self.label_smoothing} if self.label_smoothing else {}),
        }


class Contender:
    """An optimizer, what must be called for one update, and the time that this took."""

    def __init__(self, optimizer: torch.optim.Optimizer, *calls: Callable[[], object]) -> None:
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


def with_gradstep(settings: Settings, parameters: Iterator[Parameter], updates: int) -> Contender:
    make = getattr(optim, settings.optimizer)
    optimizer = make(parameters, lr=settings.lr(updates), **settings.options)
    return Contender(optimizer, optimizer.step, optimizer.zero_grad)


def with_torch(settings: Settings, parameters: Iterator[Parameter], updates: int) -> Contender:
    make = getattr(torch.optim, settings.optimizer)
    fused = {"fused": True} if "fused" in inspect.signature(make).parameters else {}
    lr = settings.lr(updates)
    if not callable(lr):
        optimizer = make(parameters, lr=lr, **settings.options, **fused)
        return Contender(optimizer, optimizer.step, optimizer.zero_grad)
    optimizer = make(parameters, lr=1.0, **settings.options, **fused)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr)  # a factor on the rate of 1
    return Contender(optimizer, optimizer.step, scheduler.step, optimizer.zero_grad)


LIBRARIES = {"gradstep": with_gradstep, "torch": with_torch}
