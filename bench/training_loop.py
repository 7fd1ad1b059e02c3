"""A whole training loop: what a step costs among the forward and backward passes, whose threads it must not disturb."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bench.accuracy import CheckFailed
from bench.results import Result, Subject, summarize
from bench.rules import GRADSTEP, Rule
from bench.timing import Pace, run_race

__all__ = ["measure_loop"]

_BATCH, _BATCHES = 64, 32


def measure_loop(rule: Rule, peers: Sequence[str], pace: Pace) -> list[Result]:
    """Time an iteration (forward, backward, step) of the MLP 784-256-10 on random digits, all in one race."""
    loops = {name: _Loop(rule, name) for name in (GRADSTEP, *peers)}
    losses = {name: [loop.iterate() for _ in range(_BATCHES)][-1] for name, loop in loops.items()}
    if any(abs(loss - losses[GRADSTEP]) > 1e-3 * losses[GRADSTEP] for loss in losses.values()):
        raise CheckFailed(f"loop {rule.name}: losses differ after {_BATCHES} iterations: {losses}")
    contestants: dict[str, Callable[[], object]] = {name: loop.iterate for name, loop in loops.items()}
    elements = sum(p.numel() for p in loops[GRADSTEP].model.parameters())
    return summarize(Subject("loop", rule.name, elements), [run_race(contestants, pace)], {})


class _Loop:
    """A model in training: equal models and data for every contestant."""

    def __init__(self, rule: Rule, contestant: str) -> None:
        torch.manual_seed(3)
        self.model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
        self._optimizer = rule.optimizer(contestant, self.model.parameters())
        self._batches = [(torch.rand(_BATCH, 784), torch.randint(10, (_BATCH,))) for _ in range(_BATCHES)]
        self._next = 0

    def iterate(self) -> float:
        digits, labels = self._batches[self._next % _BATCHES]
        self._next += 1
        self._optimizer.zero_grad()
        loss = cross_entropy(self.model(digits), labels)
        torch.autograd.backward(loss)
        self._optimizer.step()
        return loss.item()
