"""Schedulers of timm."""

from collections.abc import Callable
from itertools import accumulate
from typing import Any

from gradstep.convert.peer import CALLABLE, find, kind_of, multi_step, of_groups, updates
from gradstep.schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    Linear,
    PolynomialDecay,
    PowerLaw,
    Schedule,
    StepDecay,
    TanhDecay,
    join,
)


def from_timm(scheduler: Any, group: int | None = None) -> Schedule:
    """The schedule with the values of a ``timm.scheduler`` object.

    As in timm, milestones come one step early, and a warmup jumps at its end unless ``warmup_prefix`` is True.

    Args:
        scheduler: CosineLRScheduler, TanhLRScheduler, PolyLRScheduler, StepLRScheduler, MultiStepLRScheduler or
            WSDLRScheduler, without noise. t is the argument of its step: epochs if its ``t_in_epochs`` is True (the
            default), so that the schedule over updates is ``from_timm(s).stretch(updates_per_epoch, staircase=True)``.
        group: the number of the optimizer's group. Default None, if the schedule is the same for all groups.

    Raises:
        TypeError: the class is another one, or the schedule has noise.
        ValueError: a number of steps is not whole.

    >>> class Optimizer:
    ...     param_groups = [{}]
    >>> class MultiStepLRScheduler:                                    # stands for timm's
    ...     optimizer, base_values, noise_range_t, warmup_t = Optimizer, [0.1], None, 0
    ...     decay_t, decay_rate = [30, 60], 0.5
    >>> MultiStepLRScheduler.__module__ = "timm.scheduler.multistep_lr"
    >>> from_timm(MultiStepLRScheduler())
    MultiStep(init=0.1, milestones=[29, 59], rate=0.5)
    """
    curve = find(CURVES, kind_of(scheduler, "timm.scheduler"), "timm")
    if scheduler.noise_range_t is not None:
        raise TypeError(f"a scheduler with noise can't be converted: leave out noise_range_t, or use {CALLABLE}")
    groups = scheduler.optimizer.param_groups

    def convert(each: int) -> Schedule:
        base = float(scheduler.base_values[each])
        scale = float(groups[each].get("lr_scale", 1.0))
        rate = warmed(scheduler, curve(scheduler, base), base)
        return rate if scale == 1 else rate * scale

    return of_groups(convert, len(groups), group)


def warmed(peer: Any, curve: Schedule, base: float) -> Schedule:
    """The curve with its warmup, which rises to the base rate even if the curve begins elsewhere."""
    if not peer.warmup_t:
        return curve
    steps, start = updates("warmup_t", peer.warmup_t), float(peer.warmup_lr_init)
    prefix = getattr(peer, "warmup_prefix", True)
    aims_at_curve = type(peer).__name__ == "TanhLRScheduler" and not prefix
    goal = curve(steps) if aims_at_curve else base
    if goal == curve(0):
        return curve.warmup(steps, start=start, mode="prefix" if prefix else "overlay", offset=0)
    return Linear(start, goal, steps).then(curve if prefix else curve.shift(-steps), at=steps)


def cosine(peer: Any, base: float) -> Schedule:
    return cycles(peer, base, lambda peak, steps: CosineDecay(peak, steps, float(peer.lr_min), k=peer.k_decay))


def poly(peer: Any, base: float) -> Schedule:
    def cycle(peak: float, steps: int) -> Schedule:
        return PolynomialDecay(peak, steps, float(peer.lr_min), float(peer.power), k=float(peer.k_decay))

    return cycles(peer, base, cycle)


def tanh(peer: Any, base: float) -> Schedule:
    def cycle(peak: float, steps: int) -> Schedule:
        return TanhDecay(peak, steps, float(peer.lr_min), float(peer.lb), float(peer.ub))

    return cycles(peer, base, cycle)


def cycles(peer: Any, base: float, cycle: Callable[[float, int], Schedule]) -> Schedule:
    """``cycle_limit`` cycles, each longer and lower than the one before, and then ``lr_min``."""
    low = float(peer.lr_min)
    lengths = [updates("t_initial * cycle_mul**i", peer.t_initial * peer.cycle_mul**i) for i in range(peer.cycle_limit)]
    parts = [cycle(base * float(peer.cycle_decay) ** i, length) for i, length in enumerate(lengths)]
    if len(parts) == 1 and parts[0](lengths[0]) == low:
        return parts[0]
    return join([*parts, low], list(accumulate(lengths)))


def step(peer: Any, base: float) -> Schedule:
    return StepDecay(base, updates("decay_t", peer.decay_t), float(peer.decay_rate))


def early_multi_step(peer: Any, base: float) -> Schedule:
    return multi_step(base, [max(updates("decay_t", each) - 1, 0) for each in peer.decay_t], float(peer.decay_rate))


def wsd(peer: Any, base: float) -> Schedule:
    """``lr_min + (stable - lr_min) * decay``, with a stable part that may decay too."""
    low, stable_steps = float(peer.lr_min), updates("t_initial - decay_t", peer.t_initial - peer.decay_t)
    if peer.stable_fn == "constant":
        return Constant(base).then(decay(peer, base, low), at=stable_steps)
    power = 0.5 if peer.stable_fn == "rsqrt" else float(peer.stable_power)
    stable = PowerLaw(base, float(peer.stable_timescale), -power).clip(lo=low)
    return (stable - low) * Constant(1.0).then(decay(peer, 1.0, 0.0), at=stable_steps) + low


def decay(peer: Any, init: float, end: float) -> Schedule:
    steps, kind = updates("decay_t", peer.decay_t), peer.decay_fn
    if kind == "cosine":
        return CosineDecay(init, steps, end)
    if kind == "exp":
        ratio = float(peer.decay_ratio)
        return (ExponentialDecay(1.0, ratio, steps).clip(lo=ratio) - ratio) * ((init - end) / (1 - ratio)) + end
    powers = {"linear": 1.0, "1-sqrt": 0.5, "power": float(peer.decay_power)}
    if callable(kind):
        raise TypeError(f"WSDLRScheduler with a function as decay_fn can't be converted: use {CALLABLE}")
    return PolynomialDecay(init, steps, end, k=powers[kind])


CURVES: dict[str, Callable[[Any, float], Schedule]] = {
    "CosineLRScheduler": cosine,
    "TanhLRScheduler": tanh,
    "PolyLRScheduler": poly,
    "StepLRScheduler": step,
    "MultiStepLRScheduler": early_multi_step,
    "WSDLRScheduler": wsd,
}
