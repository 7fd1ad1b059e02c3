"""Checking and timing of a trial: gradstep against one peer at a time, as several may not fit in memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence

import torch

from gradstep_bench.accuracy import check_agreement, measure_errors
from gradstep_bench.entries import Entry, Trial, bytes_of, yardstick
from gradstep_bench.results import Result, Subject, summarize
from gradstep_bench.rules import GRADSTEP
from gradstep_bench.timing import YARDSTICK, Pace, Race, run_race

__all__ = ["measure_trial"]


def measure_trial(trial: Trial, peers: Sequence[str], pace: Pace) -> list[Result]:
    """One result for gradstep, for each peer and for the memory."""
    errors = measure_errors(trial, peers)
    races, sizes = [], set()
    for peer in peers:
        race, size = _race_pair(trial, peer, pace)
        races.append(race)
        sizes.add(size)
        gc.collect()  # torch's optimizers are in reference cycles with their hooks, which would keep the states
    return summarize(Subject(trial.case.name, trial.rule, trial.case.elements, sizes.pop()), races, errors)


def _race_pair(trial: Trial, peer: str, pace: Pace) -> tuple[Race, int]:
    ours, theirs = _enter_pair(trial, peer)
    ours.call()
    theirs.call()
    for own, other in zip(ours.results(), theirs.results(), strict=True):
        what = f"{trial.case.name} {trial.rule}, the first step against {peer}"
        check_agreement(own.numpy(), other.numpy(), what)
    moved = ours.sweeps()
    contestants = {GRADSTEP: ours.call, peer: theirs.call, YARDSTICK: yardstick(moved)}
    return run_race(contestants, pace), bytes_of(moved)


def _enter_pair(trial: Trial, peer: str) -> Iterator[Entry]:
    random = torch.Generator().manual_seed(1)
    params = [torch.randn(shape, generator=random) for shape in trial.case.shapes]
    gradients = [torch.randn(shape, generator=random) for shape in trial.case.shapes]
    for name, own in ((GRADSTEP, params), (peer, [p.clone() for p in params])):
        for p, g in zip(own, gradients, strict=True):
            p.grad = g
        yield trial.enter(name, own)
