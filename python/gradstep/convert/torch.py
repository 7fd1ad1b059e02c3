"""Schedulers of torch."""

from collections.abc import Callable
from functools import reduce
from operator import mul
from typing import Any, Literal

from gradstep.convert.peer import CALLABLE, find, kind_of, multi_step, of_groups, updates
from gradstep.schedules import (
    Constant,
    CosineDecay,
    CosineRestarts,
    Cyclic,
    ExponentialDecay,
    Linear,
    OneCycle,
    PolynomialDecay,
    Schedule,
    StepDecay,
    join,
)
from gradstep.schedules.fields import one_of

MODULE, PEER = "torch.optim.lr_scheduler", "torch"


def from_torch(scheduler: Any, group: int | None = None, of: Literal["lr", "momentum"] = "lr") -> Schedule:
    """The schedule with the values of a ``torch.optim.lr_scheduler`` object.

    The values are those of torch's formulas; torch's recursions differ by rounding. Where torch gives meaningless
    values after the end (OneCycleLR, and a CosineAnnealingLR in a ChainedScheduler), the schedule has no value.

    Args:
        scheduler: StepLR, MultiStepLR, ConstantLR, LinearLR, ExponentialLR, PolynomialLR, CosineAnnealingLR,
            CosineAnnealingWarmRestarts, CyclicLR or OneCycleLR; a SequentialLR of these; or a ChainedScheduler of those
            that multiply. It may be in the middle of its run: t = 0 is the start of the run.
        group: the number of the optimizer's group. Default None, if the schedule is the same for all groups.
        of: "lr" (the default), or "momentum" for the schedule that CyclicLR and OneCycleLR give the momentum or the
            first beta.

    Raises:
        TypeError: the class is another one, such as LambdaLR, whose values only its function knows.
        ValueError: a number of steps is not whole.

    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    >>> from_torch(torch.optim.lr_scheduler.StepLR(optimizer, step_size=30, gamma=0.5))
    StepDecay(init=0.1, steps=30, rate=0.5)
    """
    kind = kind_of_torch(scheduler)
    convert = {"lr": rate, "momentum": momentum}[one_of("lr", "momentum")("of", of)]
    return of_groups(lambda each: convert(scheduler, kind, each), len(scheduler.optimizer.param_groups), group)


def kind_of_torch(scheduler: Any) -> str:
    kind = kind_of(scheduler, MODULE)
    if kind in INSTEAD:
        raise TypeError(f"{kind} can't be converted, {INSTEAD[kind]}")
    return kind


def rate(scheduler: Any, kind: str, group: int) -> Schedule:
    if kind == "SequentialLR":
        children = [part(each, group) for each in scheduler._schedulers]
        return join(children, [updates("milestones", each) for each in scheduler._milestones])
    if kind == "ChainedScheduler":
        return chained(scheduler._schedulers, group)
    return part(scheduler, group)


def part(scheduler: Any, group: int) -> Schedule:
    """The schedule of a scheduler that holds no others."""
    kind = kind_of_torch(scheduler)
    if kind == "CyclicLR":
        return cyclic(scheduler, scheduler.base_lrs[group], scheduler.max_lrs[group])
    if kind == "OneCycleLR":
        settings = scheduler.optimizer.param_groups[group]
        return one_cycle(scheduler, settings["initial_lr"], settings["max_lr"], settings["min_lr"])
    return find(FROM_BASE, kind, PEER)(scheduler, float(scheduler.base_lrs[group]))


def momentum(scheduler: Any, kind: str, group: int) -> Schedule:
    if kind not in CYCLES or not scheduler.cycle_momentum:
        raise ValueError(f"this {kind} leaves the momentum alone: only {' and '.join(CYCLES)} may cycle it")
    settings = scheduler.optimizer.param_groups[group]
    high, low = settings["max_momentum"], settings["base_momentum"]
    return cyclic(scheduler, high, low) if kind == "CyclicLR" else one_cycle(scheduler, high, low, high)


def chained(schedulers: Any, group: int) -> Schedule:
    """The product: each child multiplies the result of those before it."""
    parts = [factor(each, float(each.base_lrs[group]) if i == 0 else 1.0) for i, each in enumerate(schedulers)]
    return reduce(mul, parts)


def factor(scheduler: Any, base: float) -> Schedule:
    kind = kind_of_torch(scheduler)
    if kind == "CosineAnnealingLR" and scheduler.eta_min == 0:
        # At T_max torch loses the other schedulers' factors.
        return CosineDecay(base, updates("T_max", scheduler.T_max), past="error")
    if kind not in FACTORS:
        raise TypeError(
            f"{kind} in a ChainedScheduler does not multiply, so that the others' part is lost or doubled: chain "
            f"{', '.join(FACTORS)} or CosineAnnealingLR with eta_min=0, or multiply their schedules"
        )
    return FACTORS[kind](scheduler, base)


def step(peer: Any, base: float) -> Schedule:
    return StepDecay(base, updates("step_size", peer.step_size), float(peer.gamma))


def milestones(peer: Any, base: float) -> Schedule:
    elements = [updates("milestones", each) for each in peer.milestones.elements()]
    return multi_step(base, elements, float(peer.gamma))


def constant(peer: Any, base: float) -> Schedule:
    low = Constant(float(peer.factor) * base)
    return low.then(base, at=updates("total_iters", peer.total_iters)) if peer.total_iters > 0 else low


def linear(peer: Any, base: float) -> Schedule:
    init, end = float(peer.start_factor) * base, float(peer.end_factor) * base
    return Linear(init, end, updates("total_iters", peer.total_iters)) if peer.total_iters > 0 else Constant(init)


def exponential(peer: Any, base: float) -> Schedule:
    return ExponentialDecay(base, float(peer.gamma))


def polynomial(peer: Any, base: float) -> Schedule:
    return PolynomialDecay(base, updates("total_iters", peer.total_iters), power=float(peer.power))


def cosine(peer: Any, base: float) -> Schedule:
    return CosineDecay(base, updates("T_max", peer.T_max), float(peer.eta_min), past="mirror")


def cosine_restarts(peer: Any, base: float) -> Schedule:
    return CosineRestarts(base, peer.T_0, peer.T_mult, end=float(peer.eta_min))


def cyclic(peer: Any, base: Any, peak: Any) -> Schedule:
    if peer._scale_fn_custom is not None:
        raise TypeError(f"CyclicLR with a scale_fn can't be converted: use {CALLABLE}")
    up = updates("step_size_up", round(peer.total_size * peer.step_ratio, 6))
    down = updates("step_size_down", peer.total_size - up)
    gamma = float(peer.gamma) if peer.mode == "exp_range" else 1.0
    return Cyclic(float(base), float(peak), up, down, peer.mode, gamma)


def one_cycle(peer: Any, first: Any, peak: Any, last: Any) -> Schedule:
    phases = peer._schedule_phases
    rise = phases[0]["end_step"] + 1
    if rise < 1:
        raise ValueError(f"pct_start of total_steps is {rise}: a rise of less than one update can't be converted")
    return OneCycle(
        float(peak),
        peer.total_steps,
        tidy(rise / peer.total_steps),
        div=tidy(float(peak) / float(first)),
        final_div=tidy(float(first) / float(last)),
        anneal="cosine" if peer._anneal_func_type == "cos" else "linear",
        three_phase=len(phases) == 3,
        end_at="last",
        past="error",
    )


def tidy(value: float) -> float:
    """Undo torch's computation with a given number: without the rounding errors."""
    return float(f"{value:.14g}")


FACTORS: dict[str, Callable[[Any, float], Schedule]] = {
    "StepLR": step,
    "MultiStepLR": milestones,
    "ConstantLR": constant,
    "LinearLR": linear,
    "ExponentialLR": exponential,
    "PolynomialLR": polynomial,
}
FROM_BASE = FACTORS | {"CosineAnnealingLR": cosine, "CosineAnnealingWarmRestarts": cosine_restarts}
CYCLES = ("CyclicLR", "OneCycleLR")
KNOWN_TO_A_FUNCTION = f"only its function knows its values: use {CALLABLE}"
INSTEAD = {
    "ReduceLROnPlateau": "it depends on a metric: use gradstep.convert.from_plateau",
    "LambdaLR": f"{KNOWN_TO_A_FUNCTION}; for those of transformers.get_scheduler use gradstep.convert.from_hf",
    "MultiplicativeLR": KNOWN_TO_A_FUNCTION,
}
