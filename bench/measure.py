"""The time of a step alone: gradients stay as they are, so nothing but ``step()`` runs between two readings."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch

import gradstep
from bench.accuracy import check_agreement, measure_errors
from bench.cases import Case
from bench.results import Result, Subject, summarize
from bench.rules import GRADSTEP, Rule, traffic
from bench.timing import YARDSTICK, Pace, Race, run_race
from gradstep import _core

__all__ = ["Entry", "bytes_of", "measure_step"]

Traffic = list[tuple[list[torch.Tensor], list[torch.Tensor]]]


@dataclass(frozen=True)
class Entry:
    """One contestant with its own parameters and states; the gradients are everyone's."""

    optimizer: torch.optim.Optimizer
    params: list[torch.Tensor]


def measure_step(case: Case, rule: Rule, peers: Sequence[str], pace: Pace) -> list[Result]:
    """Check and time gradstep against each peer, one at a time, for large cases would not fit the memory together."""
    errors = measure_errors(rule, case.sample, peers)
    races, sizes = [], set()
    for peer in peers:
        race, size = _race_pair(case, rule, peer, pace)
        races.append(race)
        sizes.add(size)
        gc.collect()  # a torch optimizer is in a cycle with its hooks and would keep its states
    subject = Subject(case.name, rule.name, case.elements, sizes.pop())
    return summarize(subject, races, errors)


def bytes_of(step_traffic: Traffic) -> int:
    """The bytes that a step reads and writes."""
    return sum(2 * _total(written) + _total(read) for written, read in step_traffic)


def _total(arrays: Sequence[torch.Tensor]) -> int:
    return sum(array.nbytes for array in arrays)


def _race_pair(case: Case, rule: Rule, peer: str, pace: Pace) -> tuple[Race, int]:
    ours, theirs = _enter_pair(case, rule, peer)
    for entry in (ours, theirs):
        entry.optimizer.step()
    for p, q in zip(ours.params, theirs.params, strict=True):
        check_agreement(p.numpy(), q.numpy(), f"{case.name} {rule.name}, the first step against {peer}")
    moved = traffic(ours.optimizer)
    contestants: dict[str, Callable[[], object]] = {
        GRADSTEP: ours.optimizer.step,
        peer: theirs.optimizer.step,
        YARDSTICK: partial(_core.ReadModifyWrite(moved).run, gradstep.get_num_threads()),
    }
    return run_race(contestants, pace), bytes_of(moved)


def _enter_pair(case: Case, rule: Rule, peer: str) -> Iterator[Entry]:
    random = torch.Generator().manual_seed(1)
    params = [torch.randn(shape, generator=random) for shape in case.shapes]
    gradients = [torch.randn(shape, generator=random) for shape in case.shapes]
    for name, own in ((GRADSTEP, params), (peer, [p.clone() for p in params])):
        for p, g in zip(own, gradients, strict=True):
            p.grad = g
        yield Entry(rule.optimizer(name, own), own)
