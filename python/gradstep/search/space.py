"""Search spaces: the possible values of each name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from gradstep.schedules.fields import count, positive, real

__all__ = ["Candidate", "Choice", "LogRange", "Range", "Space", "sample"]

Candidate: TypeAlias = Mapping[str, Any]
"""A value for each name."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, uniformly distributed: ``low + (high - low) * u`` for u in [0, 1)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            real(name, getattr(self, name))
        if self.high <= self.low:
            raise ValueError(f"high is {self.high!r}: it must be above low = {self.low!r}")

    def at(self, u: float) -> float:
        return self.low + (self.high - self.low) * u


@dataclass(frozen=True)
class LogRange(Range):
    """Numbers from `low` to `high`, both above 0, log-uniformly distributed: ``low * (high / low)**u`` for u in [0, 1).

    Use it for rates.
    """

    def __post_init__(self) -> None:
        positive("low", self.low)
        super().__post_init__()

    def at(self, u: float) -> float:
        return float(self.low * (self.high / self.low) ** u)


class Choice:
    """Some values, such as schedules, with equal probability. A list in a space means the same."""

    def __init__(self, values: Sequence[Any]) -> None:
        if not values:
            raise ValueError("a Choice needs values: list one or more")
        self.values = list(values)

    def at(self, u: float) -> Any:
        return self.values[int(u * len(self.values))]


Space: TypeAlias = Mapping[str, Any]
"""For each name a Range, a LogRange, a Choice, a list of values, or one value for all candidates."""


def dimensions(space: Space) -> dict[str, Range | Choice]:
    """The dimensions of a space, as ranges and choices."""
    if not isinstance(space, Mapping) or not space:
        raise TypeError(f'the space is {space!r}: it must be a dict such as {{"lr": LogRange(1e-4, 1)}}')
    return {name: _dimension(value) for name, value in space.items()}


def _dimension(value: Any) -> Range | Choice:
    if isinstance(value, Range | Choice):
        return value
    return Choice(value if isinstance(value, list) else [value])


def sample(space: Space, n: int, seed: int = 0) -> list[Candidate]:
    """Draw n candidates of a space, evenly spread and reproducible.

    They are a Latin hypercube: each range and list is divided into n equal parts, each part has one candidate, and
    every dimension is shuffled independently.

    Args:
        space: for each name a Range, a LogRange, a Choice, a list of values, or one value for all candidates.
        n: the number of candidates, 1 or more.
        seed: the seed of the random numbers. Default 0.

    Returns:
        The candidates, dicts of values by name.

    Raises:
        TypeError, ValueError: the space is not one, or n is below 1.

    Source: McKay, Beckman and Conover 1979.

    >>> from gradstep.search import LogRange, sample
    >>> [f"{c['lr']:.1g} {c['momentum']}" for c in sample({"lr": LogRange(1e-3, 1), "momentum": [0, 0.9]}, 2)]
    ['0.003 0', '0.04 0.9']
    """
    count("n", n)
    rng = np.random.default_rng(seed)
    columns = {
        name: [dimension.at(u) for u in (rng.permutation(n) + rng.random(n)) / n]
        for name, dimension in dimensions(space).items()
    }
    return [{name: column[i] for name, column in columns.items()} for i in range(n)]
