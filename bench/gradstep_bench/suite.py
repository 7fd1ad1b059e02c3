"""The cases by name, each with its rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from gradstep_bench.cases import CASES, Case
from gradstep_bench.entries import Step
from gradstep_bench.growth import GROWTHS, TENTH, Growth, measure_growth
from gradstep_bench.measure import measure_trial
from gradstep_bench.models import TASKS
from gradstep_bench.numpy_adam import BLOCKED, OUT_BUFFERS, measure_numpy
from gradstep_bench.results import Result
from gradstep_bench.rules import RULES, Rule
from gradstep_bench.tail import BYTES, measure_tail
from gradstep_bench.targets import TARGETS, Target, named_peers
from gradstep_bench.timing import Pace
from gradstep_bench.training_loop import measure_loop

__all__ = ["RUNS", "Run", "measure_targets", "rules_of", "run"]

STEPS, TAILS, LOOPS = "The step alone", "The whole tail of an iteration", "Whole training loops, an iteration"
GROWTH = "Many tensors and many groups"

_NUMPY_ELEMENTS = 50_000_000


@dataclass(frozen=True)
class Run:
    """A case, its rules, and the measurement of a rule against some peers."""

    section: str
    title: str
    rules: Sequence[str]
    measure: Callable[[Rule, Sequence[str], Pace], list[Result]]
    peers: Sequence[str] | None = None  # None for those of the rule

    def peers_of(self, rule: str) -> list[str]:
        return RULES[rule].peers if self.peers is None else list(self.peers)


def _step(case: Case) -> Run:
    return Run(STEPS, case.title, tuple(RULES), lambda rule, peers, pace: measure_trial(Step(case, rule), peers, pace))


def _tail(case: Case) -> Run:
    return Run(TAILS, case.title, ["adamw"], lambda _, peers, pace: measure_tail(case, peers, pace), tuple(BYTES))


def _loop(task: str) -> Run:
    rules = ["adagrad", "adam"]
    return Run(LOOPS, TASKS[task].title, rules, lambda rule, peers, pace: measure_loop(task, rule, peers, pace))


def _growth(growth: Growth) -> Run:
    peers = [TENTH, "default"]
    return Run(
        GROWTH, growth.title, ["adam"], lambda rule, peers, pace: measure_growth(growth, rule, peers, pace), peers
    )


_NUMPY = Run(
    STEPS,
    "Adam on NumPy arrays, 50 M",
    ["adam"],
    lambda rule, peers, pace: measure_numpy(_NUMPY_ELEMENTS, pace),
    [OUT_BUFFERS, BLOCKED],
)

RUNS: dict[str, Run] = {
    **{name: _step(case) for name, case in CASES.items()},
    "numpy": _NUMPY,
    **{f"tail-{name}": _tail(CASES[name]) for name in ("tiny", "mlp", "gpt2")},
    **{f"loop-{task}": _loop(task) for task in TASKS},
    **{name: _growth(growth) for name, growth in GROWTHS.items()},
}


def rules_of(case: str, wanted: Sequence[str]) -> list[str]:
    """The wanted rules that belong to the case and have a peer."""
    return [name for name in wanted if name in RUNS[case].rules and RUNS[case].peers_of(name)]


def run(case: str, rule: str, pace: Pace, peers: Sequence[str] = ()) -> list[Result]:
    """Measure one rule on one case, against all peers or those given."""
    return RUNS[case].measure(RULES[rule], peers or RUNS[case].peers_of(rule), pace)


def measure_targets(console: Console, pace: Pace) -> tuple[list[Target], list[Result]]:
    """Measure each case and rule of the targets once, against the peers that the targets name.

    Returns:
        The targets whose peers are installed, and the results.
    """
    measured = [target for target in TARGETS if rules_of(target.case, [target.rule])]
    results: list[Result] = []
    for case, rule in dict.fromkeys((target.case, target.rule) for target in measured):
        with console.status(f"{case}, {rule}"):
            results += run(case, rule, pace, named_peers(case, rule))
    for rule in sorted({target.rule for target in TARGETS} - {target.rule for target in measured}):
        console.print(f"{rule} is left out: install timm and schedulefree for all peers", style="yellow")
    return measured, results
