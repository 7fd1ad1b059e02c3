"""How cost grows with the number of tensors and of groups: ten times as many may take some ten times as long.

Timed are the construction of an optimizer with its first step, which makes the states, and a later step. The tensors
are so small that only these costs count. ``a tenth`` is gradstep's own time for a tenth as many, in the same race.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from gradstep_bench.accuracy import check_agreement
from gradstep_bench.results import Result, Subject, summarize
from gradstep_bench.rules import GRADSTEP, Rule
from gradstep_bench.timing import Pace, run_race

__all__ = ["GROWTHS", "TENTH", "Growth", "measure_growth"]

TENTH = "a tenth"

_ELEMENTS = 10


@dataclass(frozen=True)
class Growth:
    """So many tensors, in one group or in a group each; the construction of their optimizer, or a later step."""

    name: str
    title: str
    count: int
    grouped: bool
    making: bool

    def params(self, count: int) -> list[Any]:
        """The parameters and gradients of an optimizer."""
        random = torch.Generator().manual_seed(5)
        found = list(torch.randn(count, _ELEMENTS, generator=random).unbind())
        for p, g in zip(found, torch.randn(count, _ELEMENTS, generator=random).unbind(), strict=True):
            p.grad = g
        return [{"params": [p]} for p in found] if self.grouped else found


GROWTHS = {
    growth.name: growth
    for growth in (
        Growth("make-tensors", "an optimizer of 100,000 tensors, made and stepped once", 100_000, False, True),
        Growth("step-tensors", "a step of 100,000 tensors", 100_000, False, False),
        Growth("make-groups", "an optimizer of 10,000 groups, made and stepped once", 10_000, True, True),
        Growth("step-groups", "a step of 10,000 groups", 10_000, True, False),
    )
}


def measure_growth(growth: Growth, rule: Rule, peers: Sequence[str], pace: Pace) -> list[Result]:
    """One result for gradstep, one for itself at a tenth, and for each peer; a call may take seconds."""
    sizes = {GRADSTEP: growth.count, TENTH: growth.count // 10}
    contestants = {
        name: _enter(growth, rule, GRADSTEP if name == TENTH else name, sizes.get(name, growth.count))
        for name in (GRADSTEP, *peers)
    }
    few = replace(pace, warm_up=1, fewest_rounds=2, most_rounds=9)
    return summarize(Subject(growth.name, rule.name, growth.count * _ELEMENTS), [run_race(contestants, few)], {})


def _enter(growth: Growth, rule: Rule, contestant: str, count: int) -> Callable[[], object]:
    given = growth.params(count)
    _check(growth, rule, contestant)
    if growth.making:
        return lambda: rule.optimizer(contestant, given).step()
    optimizer = rule.optimizer(contestant, given)
    optimizer.step()
    return optimizer.step


def _check(growth: Growth, rule: Rule, contestant: str) -> None:
    """Check that gradstep and the contestant make the same step over a few tensors."""
    steps = []
    for name in (GRADSTEP, contestant):
        given = growth.params(20)
        rule.optimizer(name, given).step()
        tensors = [each["params"][0] for each in given] if growth.grouped else given
        steps.append(torch.stack(tensors).numpy())
    check_agreement(steps[0], steps[1], f"{growth.name} {rule.name}, the first step against {contestant}")
