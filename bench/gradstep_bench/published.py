"""The published tables: each ratio with its times, limits and errors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from gradstep_bench.environment import environment
from gradstep_bench.report import WIDTH, format_number, format_time
from gradstep_bench.results import Result
from gradstep_bench.suite import RUNS
from gradstep_bench.targets import Verdict

__all__ = ["print_verdicts", "write_json", "write_markdown"]

_TEXTS = 3  # columns; numbers follow


def print_verdicts(console: Console, verdicts: Sequence[Verdict]) -> None:
    """A table for each kind of measurement, without its empty columns."""
    for section, group in groupby(verdicts, key=lambda verdict: _section(verdict.target.case)):
        rows = [_row(verdict) for verdict in group]
        console.print(f"\n### {section}\n", highlight=False)
        console.print(_table(rows))


def _section(case: str) -> str:
    return RUNS[case].section if case in RUNS else "On a CUDA device"


def write_markdown(path: Path, verdicts: Sequence[Verdict]) -> None:
    """The tables, after a line that describes the machine."""
    with path.open("w") as file:
        console = Console(file=file, width=WIDTH)
        console.print(", ".join(f"{name} {value}" for name, value in environment().items()), soft_wrap=True)
        print_verdicts(console, verdicts)


def write_json(path: Path, results: Sequence[Result], verdicts: Sequence[Verdict]) -> None:
    document = {
        "environment": environment(),
        "results": [asdict(result) for result in results],
        "targets": [{**asdict(each.target), "measured": each.measured, "reached": each.reached} for each in verdicts],
    }
    path.write_text(json.dumps(document, indent=1) + "\n")


def _row(verdict: Verdict) -> dict[str, str]:
    target, ours, theirs = verdict.target, verdict.gradstep, verdict.peer
    return {
        "case": target.case,
        "rule": target.rule,
        "against": theirs.contestant,
        "gradstep": format_time(ours.seconds),
        "the other": format_time(theirs.seconds),
        "times as fast": f"{verdict.measured:.3g}",
        "to reach": format_number(target.at_least, "g"),
        "": {None: "", True: "[green]reached", False: "[red]not reached"}[verdict.reached],
        "at most, by bytes": format_number(theirs.at_most, ".2f"),
        "share of the step": _pair((ours.step_share, theirs.step_share), ".1%"),
        "RMS error": _pair((ours.rms_error, theirs.rms_error), ".2e"),
        "largest error": _pair((ours.max_error, theirs.max_error), ".1e"),
    }


def _pair(values: Iterable[float | None], form: str) -> str:
    return " / ".join(filter(None, (format_number(value, form) for value in values)))


def _table(rows: Sequence[dict[str, str]]) -> Table:
    table = Table(box=MARKDOWN)
    headings = [heading for heading in rows[0] if any(row[heading] for row in rows)]
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < _TEXTS else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(row[heading] for heading in headings))
    return table
