"""The published ratios, all from one run, and the project's goals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradstep_bench.growth import GROWTHS, TENTH
from gradstep_bench.numpy_adam import BLOCKED, OUT_BUFFERS
from gradstep_bench.results import Result
from gradstep_bench.rules import GRADSTEP, RULES
from gradstep_bench.tail import FOLDED, GRAD_SCALE, SCALER
from gradstep_bench.timing import YARDSTICK

__all__ = ["BEST", "TARGETS", "Target", "Verdict", "judge", "named_peers"]

#: the fastest of all peers
BEST = "best peer"


@dataclass(frozen=True)
class Target:
    """The time of ``against`` divided by gradstep's, on one case and rule; None where no goal is set."""

    case: str
    rule: str
    against: str
    at_least: float | None = None


@dataclass(frozen=True)
class Verdict:
    target: Target
    gradstep: Result
    peer: Result

    @property
    def measured(self) -> float:
        return self.peer.times_gradstep

    @property
    def reached(self) -> bool | None:
        return None if self.target.at_least is None else self.measured >= self.target.at_least


_AT_THE_MEMORY_LIMIT = [
    Target(case, rule, against, at_least)
    for case in ("big", "gpt2")
    for rule in ("adam", "sgd-momentum", "adagrad")
    for against, at_least in (("fused", 0.97), (YARDSTICK, 0.9))
]

_WITHOUT_A_FUSED_PEER = [Target("big", rule, BEST, 4) for rule in ("rmsprop", "adadelta", "adamax", "nadam", "radam")]

_MEASURED = [Target("gpt2", rule, BEST, 4) for rule in ("lamb", "lars")]

_BEYOND_TORCH = [
    Target("resnet", name, BEST) for name, rule in RULES.items() if not rule.in_torch and name not in ("lamb", "lars")
]

_TAILS = [
    Target(case, "adamw", against, at_least)
    for case, times, share in (("tail-tiny", 15, None), ("tail-mlp", None, None), ("tail-gpt2", 1.5, 0.85))
    for against, at_least in ((SCALER, times), (GRAD_SCALE, times), (FOLDED, None), (YARDSTICK, share))
    if against != YARDSTICK or share
]

_LINEAR = [
    Target(name, "adam", against, at_least)
    for name in GROWTHS
    for against, at_least in ((TENTH, 1 / 15), ("default", 1))
]

TARGETS = [
    Target("tiny", "adam", "fused", 8),
    Target("tiny", "adam", "default", 35),
    Target("mlp", "adam", "fused", 1.6),  # with AVX-512
    Target("mlp", "adam", "default", 4),
    *_AT_THE_MEMORY_LIMIT,
    Target("gpt2", "adam", "default", 4.5),
    *_WITHOUT_A_FUSED_PEER,
    *_MEASURED,
    *_BEYOND_TORCH,
    Target("numpy", "adam", OUT_BUFFERS, 8),
    Target("numpy", "adam", BLOCKED, 3),
    *_TAILS,
    Target("loop-mlp", "adagrad", "fused", 1),  # mnist-mlp's rule
    Target("loop-mlp", "adam", "fused", 1),
    Target("loop-cnn", "adam", "fused"),
    Target("loop-transformer", "adam", "fused"),
    *_LINEAR,
]


def named_peers(case: str, rule: str) -> list[str]:
    """The peers that the targets name for a case and rule; none if the target is against the fastest of all."""
    against = [target.against for target in TARGETS if (target.case, target.rule) == (case, rule)]
    return [] if BEST in against else [name for name in against if name != YARDSTICK]


def judge(target: Target, results: Sequence[Result]) -> Verdict:
    """Compare a target with the results of its case and rule."""
    found = {r.contestant: r for r in results if (r.case, r.rule) == (target.case, target.rule)}
    if target.against == BEST:
        others = [r for name, r in found.items() if name not in (GRADSTEP, YARDSTICK)]
        return Verdict(target, found[GRADSTEP], min(others, key=lambda r: r.times_gradstep))
    return Verdict(target, found[GRADSTEP], found[target.against])
