"""One run of the command: timing, printing and writing of files."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from rich.console import Console

from gradstep_bench.cuda import GOALS, measurements
from gradstep_bench.environment import environment
from gradstep_bench.plot import plot_results
from gradstep_bench.published import print_verdicts, write_json, write_markdown
from gradstep_bench.report import WIDTH, print_comparisons, print_results
from gradstep_bench.results import Result
from gradstep_bench.rules import RULES
from gradstep_bench.schedules import measure_schedules
from gradstep_bench.suite import RUNS, measure_targets, rules_of, run
from gradstep_bench.targets import Verdict, judge
from gradstep_bench.timing import Pace

__all__ = ["Session", "UnknownNameError"]


class UnknownNameError(ValueError):
    """There is no such case or rule."""


@dataclass
class Session:
    """Measures at a pace and prints the results."""

    pace: Pace
    console: Console = field(default_factory=lambda: Console(width=max(WIDTH, Console().width)))
    results: list[Result] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)  #: of cases that could not be measured

    def __post_init__(self) -> None:
        self.console.print(", ".join(f"{name} {value}" for name, value in environment().items()), style="dim")

    def schedules(self) -> None:
        print_comparisons(self.console, measure_schedules(self.pace))

    def published(self) -> None:
        targets, self.results = measure_targets(self.console, self.pace)
        self.verdicts = [judge(target, self.results) for target in targets]
        print_verdicts(self.console, self.verdicts)

    def cuda(self, json: Path | None) -> None:
        """Measure case by case and write each result at once, as time on a device is short; a failure ends its case."""
        for case, measure in measurements(self.pace).items():
            try:
                found = measure()
            except Exception as error:
                self.failures.append(f"{case}: {type(error).__name__}: {error}")
                self.console.print(f"{case} failed: {type(error).__name__}: {error}", style="red", markup=False)
            else:
                print_results(self.console, case, found)
                self.results += found
            gc.collect()  # torch's optimizers are in reference cycles with their hooks, which would keep the states
            torch.cuda.empty_cache()
            measured = {result.case for result in self.results}
            self.verdicts = [judge(goal, self.results) for goal in GOALS if goal.case in measured]
            if json:
                write_json(json, self.results, self.verdicts)
        print_verdicts(self.console, self.verdicts)

    def cases(self, cases: Iterable[str] | None, rules: Iterable[str] | None) -> None:
        """Every rule of every case, or those named.

        Raises:
            UnknownNameError: there is no such case or rule; nothing has been measured.
        """
        chosen = _known(rules, RULES)
        for case in _known(cases, RUNS):
            found: list[Result] = []
            for rule in rules_of(case, chosen):
                with self.console.status(f"{case}, {rule}"):
                    found += run(case, rule, self.pace)
            if found:
                print_results(self.console, f"{case}: {RUNS[case].title}", found)
            self.results += found

    def write(self, out: Path, markdown: Path | None, json: Path | None) -> None:
        """The figure, and the files that are asked for."""
        if markdown:
            write_markdown(markdown, self.verdicts)
        if json:
            write_json(json, self.results, self.verdicts)
        if self.results:
            plot_results(self.results, out)
            self.console.print(f"Figure: {out}")


def _known(given: Iterable[str] | None, known: Iterable[str]) -> list[str]:
    names = list(known)
    chosen = list(given or names)
    for name in chosen:
        if name not in names:
            raise UnknownNameError(f"there is no {name!r}; there are: {', '.join(names)}")
    return chosen
