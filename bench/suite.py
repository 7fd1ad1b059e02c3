"""All that can be run: the cases by name, each with the rules that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from rich.console import Console

from bench.cases import CASES
from bench.measure import measure_step
from bench.numpy_adam import measure_numpy
from bench.results import Result
from bench.rules import RULES, Rule
from bench.targets import BEST, TARGETS
from bench.timing import YARDSTICK, Pace
from bench.training_loop import measure_loop

__all__ = ["RUNS", "Run", "measure_targets", "rules_of", "run"]

_NUMPY_ELEMENTS = 50_000_000


@dataclass(frozen=True)
class Run:
    """A case, the rules that it is for, and how one is measured against some peers."""

    title: str
    rules: tuple[str, ...]
    measure: Callable[[Rule, Sequence[str], Pace], list[Result]]


def _measure_numpy(rule: Rule, peers: Sequence[str], pace: Pace) -> list[Result]:
    return measure_numpy(_NUMPY_ELEMENTS, pace)


RUNS: dict[str, Run] = {
    **{name: Run(case.title, tuple(RULES), partial(measure_step, case)) for name, case in CASES.items()},
    "numpy": Run("Adam on NumPy arrays, 50 M", ("adam",), _measure_numpy),
    "loop": Run("training loop, MLP 784-256-10, one iteration", ("adagrad", "adam"), measure_loop),
}


def rules_of(case: str, wanted: Sequence[str]) -> list[str]:
    """Those of the wanted rules that the case is for."""
    return [name for name in wanted if name in RUNS[case].rules]


def run(case: str, rule: str, pace: Pace, peers: Sequence[str] | None = None) -> list[Result]:
    """Measure one rule on one case, against all peers or those given."""
    return RUNS[case].measure(RULES[rule], RULES[rule].peers if peers is None else peers, pace)


def measure_targets(console: Console, pace: Pace) -> list[Result]:
    """Measure each case and rule of the targets once, against the peers that the targets name."""
    results: list[Result] = []
    for case, rule in dict.fromkeys((target.case, target.rule) for target in TARGETS):
        with console.status(f"{case}, {rule}"):
            results += run(case, rule, pace, _target_peers(case, rule))
    return results


def _target_peers(case: str, rule: str) -> list[str]:
    against = [target.against for target in TARGETS if (target.case, target.rule) == (case, rule)]
    return [name for name in against if name not in (BEST, YARDSTICK)] or RULES[rule].peers
