"""Contestants that take turns in one process, so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

__all__ = ["YARDSTICK", "Pace", "Race", "run_race"]

#: the read-modify-write loop over the bytes of a step
YARDSTICK = "memory"

#: seconds per call of each contestant, one for each round
Race = dict[str, list[float]]


@dataclass(frozen=True)
class Pace:
    """How long a race is."""

    turn_seconds: float = 0.002  # a turn repeats a short step for so long
    race_seconds: float = 3.0  # rounds are added until then
    fewest_rounds: int = 9
    most_rounds: int = 101
    warm_up: int = 6  # RAdam takes its usual way from the sixth update on

    @classmethod
    def quick(cls) -> Pace:
        return cls(turn_seconds=0.0002, race_seconds=0.05, fewest_rounds=3, most_rounds=5)


def run_race(contestants: Mapping[str, Callable[[], object]], pace: Pace) -> Race:
    """Time the contestants in turns, A B C A B C."""
    repeats = {name: _warm_up(step, pace) for name, step in contestants.items()}
    times: Race = {name: [] for name in contestants}
    gc.collect()
    gc.disable()
    try:
        start = perf_counter()
        for finished in range(pace.most_rounds):
            if finished >= pace.fewest_rounds and perf_counter() - start > pace.race_seconds:
                break
            for name, step in contestants.items():
                times[name].append(_time_turn(step, repeats[name]))
    finally:
        gc.enable()
    return times


def _warm_up(step: Callable[[], object], pace: Pace) -> int:
    """Make the first steps and return how many fill a turn."""
    fastest = min(_time_turn(step, 1) for _ in range(pace.warm_up))
    return max(1, math.ceil(pace.turn_seconds / fastest))


def _time_turn(step: Callable[[], object], repeats: int) -> float:
    start = perf_counter()
    for _ in range(repeats):
        step()
    return (perf_counter() - start) / repeats
