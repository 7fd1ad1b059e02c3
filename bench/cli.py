"""The command line: ``python -m bench``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

import gradstep
from bench.accuracy import CheckFailed
from bench.plot import plot_results
from bench.report import environment, print_comparisons, print_results, print_verdicts, write_json
from bench.results import Result
from bench.rules import RULES
from bench.schedules import measure_schedules
from bench.suite import RUNS, measure_targets, rules_of, run
from bench.targets import TARGETS, judge
from bench.timing import Pace

__all__ = ["app"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def _option(text: str, name: str | None = None, low: int | None = None) -> object:
    return typer.Option(*([name] if name else []), help=text, min=low)


Cases = Annotated[list[str] | None, _option(f"One of {', '.join(RUNS)}; may be repeated; else all.")]
Rules = Annotated[list[str] | None, _option(f"One of {', '.join(RULES)}; may be repeated; else all.")]
Targets = Annotated[bool, _option("Measure the table of targets and nothing else.", "--targets")]
Schedules = Annotated[bool, _option("Time schedules against Python and NumPy and nothing else.", "--schedules")]
Json = Annotated[Path | None, _option("Write everything measured to this file.")]
Out = Annotated[Path | None, _option("Draw the ratios into this figure.")]
Threads = Annotated[int | None, _option("Threads of gradstep and torch; else torch's default.", low=1)]
Quick = Annotated[bool, _option("Few rounds: shows that all works, not how fast.", "--quick")]


@app.command()
def main(
    case: Cases = None,
    rule: Rules = None,
    targets: Targets = False,
    schedules: Schedules = False,
    json: Json = None,
    out: Out = None,
    threads: Threads = None,
    quick: Quick = False,
) -> None:
    """Check, then time gradstep's steps, or its schedules, against torch and NumPy, in turns in one process."""
    if threads:
        torch.set_num_threads(threads)
        gradstep.set_num_threads(threads)
    pace = Pace.quick() if quick else Pace()
    console = Console()
    console.print(", ".join(f"{name} {value}" for name, value in environment().items()), style="dim")
    try:
        if schedules:
            print_comparisons(console, measure_schedules(pace))
            return
        if targets:
            results = measure_targets(console, pace)
        else:
            results = _measure(console, _known(case, RUNS), _known(rule, RULES), pace)
    except CheckFailed as failure:
        console.print(f"[red]check failed[/red] {failure}")
        raise typer.Exit(1) from failure
    verdicts = [judge(target, results) for target in TARGETS] if targets else []
    if verdicts:
        print_verdicts(console, verdicts)
    if json:
        write_json(json, results, verdicts)
    if out:
        plot_results(results, out)


def _measure(console: Console, cases: list[str], rules: list[str], pace: Pace) -> list[Result]:
    results: list[Result] = []
    for case in cases:
        found: list[Result] = []
        for rule in rules_of(case, rules):
            with console.status(f"{case}, {rule}"):
                found += run(case, rule, pace)
        if found:
            print_results(console, f"{case}: {RUNS[case].title}", found)
        results += found
    return results


def _known(given: list[str] | None, known: Iterable[str]) -> list[str]:
    names = list(known)
    for name in given or []:
        if name not in names:
            raise typer.BadParameter(f"{name!r}: choose from {', '.join(names)}")
    return given or names
