"""One training loop for every model: the same weights, data and order under each library."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import torch
from torch import Tensor

from gradstep_demo.contenders import Library
from gradstep_demo.learner import Supervised
from gradstep_demo.task import Plan

POINTS = 150  # of a curve: each is the mean over a window of updates, so that a figure stays legible
WARM_UP = 5
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Lap:
    """The updates between two measurements, and what came out."""

    updates: int  # since the start
    train: Mapping[str, float]  # mean losses of the lap
    test: Mapping[str, float]
    seconds: float  # of training, without the measurement
    step_seconds: float


@dataclass
class Curve:
    """Losses and rates over updates, by name, a point for each window."""

    window: int
    updates: list[int] = field(default_factory=list)
    losses: dict[str, list[float]] = field(default_factory=dict)
    rates: dict[str, list[float]] = field(default_factory=dict)
    highest: float = 0.0  # of all rates, also between the points
    _recent: list[Mapping[str, float]] = field(default_factory=list)
    _seen: int = 0

    def add(self, losses: Mapping[str, float], rates: Mapping[str, float]) -> None:
        self._seen += 1
        self.highest = max(self.highest, *rates.values())
        self._recent.append(losses)
        if len(self._recent) == self.window:
            self.updates.append(self._seen)
            for name, loss in mean(self._recent).items():
                self.losses.setdefault(name, []).append(loss)
            for name, rate in rates.items():
                self.rates.setdefault(name, []).append(rate)
            self._recent.clear()


def mean(losses: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(each[name] for each in losses) / len(losses) for name in losses[0]}


class Training:
    """One model under one library. Lap by lap, so that two can take turns on the same machine."""

    def __init__(self, plan: Plan, library: Library) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.library = library.name
        self.learner = (plan.settings.learner or Supervised)(plan, library)
        self.batches = self._batches()
        self.curve = Curve(window=-(-plan.span.updates // POINTS))
        self.laps: list[Lap] = []

    def lap(self, advance: Advance) -> Lap:
        updates = self.plan.laps[len(self.laps)]
        in_steps = self.learner.step_seconds
        start = perf_counter()
        losses = self.train(updates, advance)
        seconds = perf_counter() - start
        done = updates + (self.laps[-1].updates if self.laps else 0)
        self.laps.append(Lap(done, losses, self.measure(), seconds, self.learner.step_seconds - in_steps))
        return self.laps[-1]

    def train(self, updates: int, advance: Advance) -> dict[str, float]:
        """Make so many updates and return their mean losses."""
        self.learner.model.train()
        losses = []
        for _ in range(updates):
            batch = next(self.batches)
            rates = self.learner.rates
            losses.append(self.learner.update(batch))
            self.curve.add(losses[-1], rates)
            advance(1)
        return mean(losses)

    @torch.no_grad()
    def measure(self) -> Mapping[str, float]:
        self.learner.model.eval()
        return self.plan.task.measure(self.learner.model)

    def _batches(self) -> Iterator[Sequence[Tensor]]:
        """Batches without end, pass after pass over the data in an order that the seed gives."""
        task, settings = self.plan.task, self.plan.settings
        order = torch.Generator().manual_seed(self.plan.seed)
        while True:
            for rows in torch.split(torch.randperm(task.rows, generator=order), settings.batch):
                yield [tensor[rows] for tensor in task.train]


def warm_up(plan: Plan, library: Library) -> None:
    """Throw-away updates: the first ones start threads and choose kernels, which belongs to no library."""
    Training(plan, library).train(WARM_UP, lambda _: None)
