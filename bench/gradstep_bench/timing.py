"""Contestants that take turns in one process, so that a disturbance affects all of them."""

from __future__ import annotations

import gc
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter

__all__ = ["YARDSTICK", "Pace", "Race", "Turn", "race_turns", "run_race", "turn_of"]

#: the read-modify-write loop over the bytes of a step
YARDSTICK = "memory"

#: seconds per call of each contestant, one for each round
Race = dict[str, list[float]]

#: makes a number of calls and returns the seconds per call
Turn = Callable[[int], float]


@dataclass(frozen=True)
class Pace:
    """How long a race is."""

    turn_seconds: float = 0.002  # a turn repeats a short step for so long
    race_seconds: float = 2.0  # rounds are added until then
    fewest_rounds: int = 9
    most_rounds: int = 101
    warm_up: int = 6  # RAdam rectifies its steps from the sixth update on

    @classmethod
    def quick(cls) -> Pace:
        return cls(turn_seconds=0.0002, race_seconds=0.05, fewest_rounds=3, most_rounds=5)


def turn_of(step: Callable[[], object]) -> Turn:
    """A contestant's turn by the host's clock.

    Its method ``prepare`` makes preparations for each call, such as new gradients, and is not timed.
    """
    prepare = getattr(step, "prepare", None)
    return partial(_time_turn, step) if prepare is None else partial(_time_prepared_turn, step, prepare)


def run_race(contestants: Mapping[str, Callable[[], object]], pace: Pace) -> Race:
    """Time the contestants by the host's clock."""
    return race_turns({name: turn_of(step) for name, step in contestants.items()}, pace)


def race_turns(turns: Mapping[str, Turn], pace: Pace) -> Race:
    """Let the contestants take turns, in a new order each round, so that none always follows the same other one."""
    repeats = {name: _warm_up(turn, pace) for name, turn in turns.items()}
    times: Race = {name: [] for name in turns}
    order = random.Random(0)
    gc.collect()
    gc.disable()
    try:
        start = perf_counter()
        for finished in range(pace.most_rounds):
            if finished >= pace.fewest_rounds and perf_counter() - start > pace.race_seconds:
                break
            for name in order.sample(list(turns), len(turns)):
                times[name].append(turns[name](repeats[name]))
    finally:
        gc.enable()
    return times


def _warm_up(turn: Turn, pace: Pace) -> int:
    """Make the first steps and return how many fill a turn."""
    fastest = min(turn(1) for _ in range(pace.warm_up))
    return max(1, math.ceil(pace.turn_seconds / fastest))


def _time_turn(step: Callable[[], object], repeats: int) -> float:
    start = perf_counter()
    for _ in range(repeats):
        step()
    return (perf_counter() - start) / repeats


def _time_prepared_turn(step: Callable[[], object], prepare: Callable[[], object], repeats: int) -> float:
    seconds = 0.0
    for _ in range(repeats):
        prepare()
        start = perf_counter()
        step()
        seconds += perf_counter() - start
    return seconds / repeats
