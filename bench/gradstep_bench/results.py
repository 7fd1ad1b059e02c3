"""The results of a race for each contestant."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles

from gradstep_bench.accuracy import Error
from gradstep_bench.rules import GRADSTEP
from gradstep_bench.timing import YARDSTICK, Race

__all__ = ["Result", "Subject", "summarize"]


@dataclass(frozen=True)
class Subject:
    """The tensors of a race; ``step_bytes``, if only a step is timed, are the bytes that gradstep's step must move."""

    case: str
    rule: str
    elements: int
    step_bytes: int | None = None


@dataclass(frozen=True)
class Result:
    """One row of the table. Times are in seconds per step (per iteration, where the whole loop is timed)."""

    case: str
    rule: str
    contestant: str
    elements: int
    step_bytes: int | None
    rounds: int
    seconds: float  # the median
    spread: float  # between the quartiles
    gigabytes_per_second: float | None  # with the same number of bytes for all
    share: float | None  # of the read-modify-write loop's speed in the same race
    times_gradstep: float  # its time as a multiple of gradstep's
    max_error: float | None = None
    rms_error: float | None = None
    at_most: float | None = None  # the largest possible ratio, if only the bytes that each moves count
    step_share: float | None = None  # of the time of an iteration, where the whole loop is timed
    host_seconds: float | None = None  # until the call returns, where `seconds` are the device's


def summarize(subject: Subject, races: list[Race], errors: dict[str, Error]) -> list[Result]:
    """One result for each contestant, gradstep first; one that is in several races is taken over all of them."""
    entered = dict.fromkeys(name for race in races for name in race)
    names = sorted(entered, key=lambda name: name == YARDSTICK)  # at the end
    return [_summarize_one(subject, name, [r for r in races if name in r], errors.get(name)) for name in names]


def _summarize_one(subject: Subject, name: str, races: list[Race], error: Error | None) -> Result:
    times = [seconds for race in races for seconds in race[name]]
    seconds = median(times)
    size = subject.step_bytes
    return Result(
        case=subject.case,
        rule=subject.rule,
        contestant=name,
        elements=subject.elements,
        step_bytes=size,
        rounds=len(times),
        seconds=seconds,
        spread=_spread(times),
        gigabytes_per_second=size / seconds / 1e9 if size else None,
        share=_median_quotient(races, YARDSTICK, name) if size else None,
        times_gradstep=_median_quotient(races, name, GRADSTEP),
        max_error=error.largest if error else None,
        rms_error=error.root_mean_square if error else None,
    )


def _spread(times: list[float]) -> float:
    low, _, high = quantiles(times, n=4, method="inclusive")
    return high - low


def _median_quotient(races: list[Race], above: str, below: str) -> float:
    """The median over the rounds of one's time divided by the other's, so that a slow period affects neither."""
    return median(a / b for race in races for a, b in zip(race[above], race[below], strict=True))
