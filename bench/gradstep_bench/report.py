"""The tables of everything measured, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from gradstep_bench.formulas import STEPS
from gradstep_bench.results import Result
from gradstep_bench.rules import GRADSTEP
from gradstep_bench.schedules import TIMES_NUMPY, TIMES_PYTHON, Comparison

__all__ = ["WIDTH", "format_number", "format_time", "print_comparisons", "print_results"]

WIDTH = 170  # of the widest table


def print_results(console: Console, title: str, results: Sequence[Result]) -> None:
    """One table for a case, rule after rule."""
    table = Table(title=title, title_justify="left")
    table.add_column("rule")
    table.add_column("contestant")
    on_device = any(result.host_seconds for result in results)
    for heading in ("time", "spread", "GB/s", "share", "x gradstep", "max error", *["host"] * on_device):
        table.add_column(heading, justify="right")
    for result in results:
        first = result.contestant == GRADSTEP
        if first and table.row_count:
            table.add_section()
        host = [format_time(result.host_seconds)] if result.host_seconds else []
        table.add_row(result.rule if first else "", *_cells(result), *host, style="bold" if first else "")
    console.print(table)


def print_comparisons(console: Console, comparisons: Sequence[Comparison]) -> None:
    title = f"Schedules at {STEPS:,} steps; to reach: {TIMES_NUMPY} times NumPy, {TIMES_PYTHON} times a Python loop"
    table = Table(title=title, title_justify="left", box=MARKDOWN)
    table.add_column("schedule")
    for heading in ("ns per step", "times NumPy", "times Python", ""):
        table.add_column(heading, justify="right")
    for each in comparisons:
        outcome = "[green]reached" if each.reached else "[red]not reached"
        nanoseconds = f"{each.seconds * 1e9:.2f}"
        table.add_row(each.schedule, nanoseconds, f"{each.times_numpy:.3g}", f"{each.times_python:.3g}", outcome)
    console.print(table)


def _cells(result: Result) -> list[str]:
    return [
        result.contestant,
        format_time(result.seconds),
        format_time(result.spread),
        format_number(result.gigabytes_per_second, ".1f"),
        format_number(result.share, ".2f"),
        format_number(result.times_gradstep, ".2f"),
        format_number(result.max_error, ".1e"),
    ]


def format_time(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"


def format_number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
