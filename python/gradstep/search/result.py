"""The result of a search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradstep.search.space import Candidate
from gradstep.search.trial import cost

__all__ = ["Result", "Row"]


@dataclass(frozen=True)
class Row:
    """A candidate, the updates of its training, and its metric after them for each seed."""

    candidate: Candidate
    updates: int
    metrics: Sequence[float]

    @property
    def metric(self) -> float:
        """The mean over the seeds."""
        return sum(self.metrics) / len(self.metrics)


@dataclass(frozen=True)
class Result:
    """The table of a search: a row for each candidate, the longest trained first, and of these the best first.

    ``print(result)`` shows the table. `best` is the candidate of its first row, or None if all candidates diverged.
    """

    rows: Sequence[Row]

    @classmethod
    def ranked(cls, rows: Sequence[Row], maximize: bool) -> Result:
        def rank(row: Row) -> tuple[bool, int, float]:
            loss = cost(list(row.metrics), maximize)
            return math.isinf(loss), -row.updates, loss

        return cls(sorted(rows, key=rank))

    @property
    def best(self) -> Candidate | None:
        first = self.rows[0]
        return first.candidate if all(map(math.isfinite, first.metrics)) else None

    def __str__(self) -> str:
        names = list(self.rows[0].candidate)
        lines = [[*names, "updates", "metric"]]
        for row in self.rows:
            values = [*(row.candidate[name] for name in names), row.updates, row.metric]
            lines.append([f"{value:.4g}" if isinstance(value, float) else str(value) for value in values])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
