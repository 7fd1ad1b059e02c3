"""What the user sees while an example runs and after it: lines, progress, a table, and a file of JSON."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from gradstep_demo.outcome import Outcome


class Report:
    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)

    @contextmanager
    def progress(self, title: str, updates: int) -> Iterator[Callable[[int], None]]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as bar:
            task = bar.add_task(title, total=updates)

            def advance(count: int) -> None:
                bar.advance(task, count)

            yield advance

    def summarise(self, outcome: Outcome) -> None:
        self.console.print(outcome.title, style="bold", markup=False, highlight=False)
        self.table(outcome.rows)
        for note in outcome.notes:
            self.say(note)

    def table(self, rows: Sequence[Mapping[str, str]]) -> None:
        table = _a_line_each(rows)
        unbounded = self.console.options.update(max_width=1000)
        if self.console.measure(table, options=unbounded).maximum > self.console.width:
            table = _a_column_each(rows)
        self.console.print(table)


def _a_line_each(rows: Sequence[Mapping[str, str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading, cell in rows[0].items():
        words = not any(character.isdigit() for character in cell)
        table.add_column(heading, justify="left" if words else "right")
    for row in rows:
        table.add_row(*row.values(), style="bold" if "gradstep" in row.values() else "")
    return table


def _a_column_each(rows: Sequence[Mapping[str, str]]) -> Table:
    """For narrow terminals, in which the headings of `_a_line_each` would cut the numbers."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    for row in rows:
        table.add_column(justify="right", overflow="fold", style="bold" if "gradstep" in row.values() else "")
    for heading in rows[0]:
        table.add_row(heading.replace("\n", " "), *(row[heading] for row in rows))
    return table


def write_json(results: Mapping[str, object], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_finite(results), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _finite(value: object) -> object:
    """JSON knows no NaN and no infinity, which a training that diverges may hold: they become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
