"""What an example is given and what it hands back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


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


@dataclass(frozen=True)
class Outcome:
    title: str
    rows: Sequence[Mapping[str, str]]  # the summary table: heading to cell
    notes: Sequence[str]
    results: Mapping[str, object]  # what the JSON holds
    panels: Sequence[Panel]
