"""What gradstep is to reach: the ratios, all of one run, that the project has set itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.numpy_adam import BLOCKED, OUT_BUFFERS
from bench.results import Result
from bench.rules import GRADSTEP
from bench.timing import YARDSTICK

__all__ = ["BEST", "TARGETS", "Target", "Verdict", "judge"]

#: the fastest of all peers
BEST = "best of torch"


@dataclass(frozen=True)
class Target:
    """The time of ``against`` by gradstep's, on one case and rule."""

    case: str
    rule: str
    against: str
    at_least: float


@dataclass(frozen=True)
class Verdict:
    target: Target
    gradstep: Result
    peer: Result

    @property
    def measured(self) -> float:
        return self.peer.times_gradstep

    @property
    def reached(self) -> bool:
        return self.measured >= self.target.at_least


_AT_THE_MEMORY_LIMIT = [
    Target(case, rule, against, at_least)
    for case in ("big", "gpt2")
    for rule in ("adam", "sgd-momentum", "adagrad")
    for against, at_least in (("fused", 0.97), (YARDSTICK, 0.9))
]

_WITHOUT_A_FUSED_PEER = [Target("big", rule, BEST, 4) for rule in ("rmsprop", "adadelta", "adamax", "nadam", "radam")]

TARGETS = [
    Target("tiny", "adam", "fused", 12),
    Target("tiny", "adam", "default", 50),
    Target("mlp", "adam", "fused", 1.6),  # with AVX-512
    Target("mlp", "adam", "default", 4),
    *_AT_THE_MEMORY_LIMIT,
    Target("gpt2", "adam", "default", 4.5),
    *_WITHOUT_A_FUSED_PEER,
    Target("numpy", "adam", OUT_BUFFERS, 8),
    Target("numpy", "adam", BLOCKED, 3),
    Target("loop", "adagrad", "fused", 1),  # mnist-mlp's rule
    Target("loop", "adam", "fused", 1),
]


def judge(target: Target, results: Sequence[Result]) -> Verdict:
    """Hold a target against the results of its case and rule."""
    found = {r.contestant: r for r in results if (r.case, r.rule) == (target.case, target.rule)}
    if target.against == BEST:
        others = [r for name, r in found.items() if name not in (GRADSTEP, YARDSTICK)]
        return Verdict(target, found[GRADSTEP], min(others, key=lambda r: r.times_gradstep))
    return Verdict(target, found[GRADSTEP], found[target.against])
