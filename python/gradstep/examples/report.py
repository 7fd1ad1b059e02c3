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

from gradstep.examples.outcome import Outcome


class Report:
    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False)

    @contextmanager
    def progress(self, title: str, updates: int) -> Iterator[Callable[[int], None]]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(
            *columns, console=self.console, transient=True, disable=not self.console.is_terminal
        ) as bar:
            task = bar.add_task(title, total=updates)

            def advance(count: int) -> None:
                bar.advance(task, count)

            yield advance

    def summarise(self, outcome: Outcome) -> None:
        self.console.print(_table(outcome.title, outcome.rows))
        for note in outcome.notes:
            self.say(note)


def _table(title: str, rows: Sequence[Mapping[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for heading, cell in rows[0].items():
        words = not any(character.isdigit() for character in cell)
        table.add_column(heading, justify="left" if words else "right")
    for row in rows:
        table.add_row(*row.values(), style="bold" if "gradstep" in row.values() else "")
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
