"""Tables and JSON."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

import gradstep
from bench.formulas import STEPS
from bench.results import Result
from bench.rules import GRADSTEP
from bench.schedules import TIMES_NUMPY, TIMES_PYTHON, Comparison
from bench.targets import Verdict
from gradstep import _core

__all__ = ["environment", "print_comparisons", "print_results", "print_verdicts", "write_json"]


def environment() -> dict[str, str | int]:
    """What the numbers were measured with."""
    return {
        "processor": _processor(),
        "threads": gradstep.get_num_threads(),
        "target": _core.active_target(),
        "gradstep": _core.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def print_results(console: Console, title: str, results: Sequence[Result]) -> None:
    """One table for a case, rule after rule."""
    table = Table(title=title, title_justify="left")
    table.add_column("rule")
    table.add_column("contestant")
    for heading in ("time", "spread", "GB/s", "share", "x gradstep", "max error"):
        table.add_column(heading, justify="right")
    for result in results:
        first = result.contestant == GRADSTEP
        if first and table.row_count:
            table.add_section()
        table.add_row(result.rule if first else "", *_cells(result), style="bold" if first else "")
    console.print(table)


def print_verdicts(console: Console, verdicts: Sequence[Verdict]) -> None:
    table = Table(title="Targets: ratios in one run, higher is better", title_justify="left", box=MARKDOWN)
    for heading in ("case", "rule", "against"):
        table.add_column(heading)
    for heading in ("at least", "measured", "", "gradstep", "RMS error", "against"):
        table.add_column(heading, justify="right")
    for verdict in verdicts:
        target = verdict.target
        outcome = "[green]reached" if verdict.reached else "[red]not reached"
        table.add_row(
            target.case,
            target.rule,
            target.against,
            f"{target.at_least:g}",
            f"{verdict.measured:.3g}",
            outcome,
            _time(verdict.gradstep.seconds),
            _number(verdict.gradstep.rms_error, ".2e"),
            _number(verdict.peer.rms_error, ".2e"),
        )
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


def write_json(path: Path, results: Sequence[Result], verdicts: Sequence[Verdict]) -> None:
    document = {
        "environment": environment(),
        "results": [asdict(result) for result in results],
        "targets": [{**asdict(each.target), "measured": each.measured, "reached": each.reached} for each in verdicts],
    }
    path.write_text(json.dumps(document, indent=1) + "\n")


def _cells(result: Result) -> list[str]:
    return [
        result.contestant,
        _time(result.seconds),
        _time(result.spread),
        _number(result.gigabytes_per_second, ".1f"),
        _number(result.share, ".2f"),
        _number(result.times_gradstep, ".2f"),
        _number(result.max_error, ".1e"),
    ]


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} us"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
