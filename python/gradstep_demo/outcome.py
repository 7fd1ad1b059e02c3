"""What an example is given and what it hands back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Options:
    data: Path | None = None
    epochs: int | None = None
    seed: int = 0
    quick: bool = False


@dataclass(frozen=True)
class Line:
    """One curve of a figure. Curves of one `setting` share a colour, and the library sets how it is drawn."""

    setting: str
    library: str
    x: Sequence[float]
    y: Sequence[float]
    marker: str = ""


@dataclass(frozen=True)
class Panel:
    title: str
    lines: Sequence[Line]
    log: str = ""  # the axes with a logarithmic scale: "", "x", "y" or "xy"
    floor: float | None = None  # where the vertical axis starts
    # Values to reach, drawn as dashed lines: label to height.
    goals: Mapping[str, float] | None = None
    across: str = "updates"  # what the horizontal axis counts


@dataclass(frozen=True)
class Picture:
    """Grey images in a grid: pixels from 0 (white) to 1 (black) of shape (rows, columns, height, width)."""

    title: str
    images: NDArray[Any]


@dataclass(frozen=True)
class Outcome:
    title: str
    headline: str  # the result in a few words
    rows: Sequence[Mapping[str, str]]  # the summary table: heading to cell
    notes: Sequence[str]  # lines under the table; a note may hold a text that a model wrote
    results: Mapping[str, object]  # what the JSON holds
    panels: Sequence[Panel | Picture]

    def plus(
        self,
        notes: Sequence[str] = (),
        panels: Sequence[Panel | Picture] = (),
        results: Mapping[str, object] | None = None,
    ) -> "Outcome":
        """With what only this example shows."""
        return replace(
            self,
            notes=[*self.notes, *notes],
            panels=[*self.panels, *panels],
            results={**self.results, **(results or {})},
        )
