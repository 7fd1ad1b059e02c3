"""A whole training loop: the cost of a step between forward and backward passes, whose threads it must not disturb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from time import perf_counter

import torch
from torch.nn.functional import cross_entropy

from gradstep_bench.accuracy import CheckFailed
from gradstep_bench.models import TASKS
from gradstep_bench.results import Result, Subject, summarize
from gradstep_bench.rules import GRADSTEP, Rule
from gradstep_bench.timing import Pace, run_race

__all__ = ["measure_loop"]

_BATCHES = 32


def measure_loop(task: str, rule: Rule, peers: Sequence[str], pace: Pace) -> list[Result]:
    """Time an iteration (zero_grad, forward, backward, step) on random batches, all in one race."""
    loops = {name: Loop(task, rule, name) for name in (GRADSTEP, *peers)}
    losses = {name: [loop() for _ in range(_BATCHES)][-1] for name, loop in loops.items()}
    if any(abs(loss - losses[GRADSTEP]) > 1e-3 * losses[GRADSTEP] for loss in losses.values()):
        raise CheckFailed(f"loop-{task} {rule.name}: losses differ after {_BATCHES} iterations: {losses}")
    elements = sum(p.numel() for p in loops[GRADSTEP].model.parameters())
    results = summarize(Subject(f"loop-{task}", rule.name, elements), [run_race(loops, pace)], {})
    return [replace(each, step_share=loops[each.contestant].step_seconds / each.seconds) for each in results]


class Loop:
    """The training of a model, one iteration in each call; all contestants have equal models and data."""

    def __init__(self, task: str, rule: Rule, contestant: str) -> None:
        torch.manual_seed(3)
        self.model = TASKS[task].model()
        self._optimizer = rule.optimizer(contestant, self.model.parameters())
        self._batches = [TASKS[task].batch() for _ in range(_BATCHES)]
        self._steps: list[float] = []

    def __call__(self) -> float:
        inputs, labels = self._batches[len(self._steps) % _BATCHES]
        self._optimizer.zero_grad()
        loss = cross_entropy(self.model(inputs), labels)
        torch.autograd.backward(loss)
        start = perf_counter()
        self._optimizer.step()
        self._steps.append(perf_counter() - start)
        return loss.item()

    @property
    def step_seconds(self) -> float:
        """The median over all iterations."""
        return median(self._steps)
