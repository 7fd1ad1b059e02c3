"""Schedules of Transformers."""

from collections.abc import Callable, Mapping
from typing import Any

from gradstep.convert.peer import find, updates
from gradstep.schedules import (
    WSD,
    Constant,
    CosineDecay,
    InverseSqrtDecay,
    Linear,
    PolynomialDecay,
    Schedule,
)
from gradstep.schedules.phases import DecayKind
from gradstep.schedules.warmup import Kind


def from_hf(
    name: Any,
    lr: float,
    num_warmup_steps: int | None = None,
    num_training_steps: int | None = None,
    scheduler_specific_kwargs: Mapping[str, Any] | None = None,
) -> Schedule:
    """The schedule with the values of a scheduler of ``transformers.get_scheduler``.

    It takes names, because the schedulers of Transformers are closures whose settings can't be read. As there, a warmup
    begins at 0, which wastes the first update, and a cosine rises again after num_training_steps.

    Args:
        name: "constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial",
            "inverse_sqrt", "cosine_with_min_lr", "cosine_warmup_with_min_lr" or "warmup_stable_decay", or its
            SchedulerType.
        lr: the optimizer's rate.
        num_warmup_steps, num_training_steps, scheduler_specific_kwargs: as ``get_scheduler`` takes them; in
            TrainingArguments they are ``warmup_steps``, ``max_steps`` and ``lr_scheduler_kwargs``.

    Raises:
        TypeError: the name is another one, or does not take an argument.
        ValueError: there are no updates left for the decay.

    >>> from_hf("cosine", 3e-4, num_warmup_steps=500, num_training_steps=10_000)
    CosineDecay(init=0.0003, steps=9500, past='mirror').warmup(500, offset=0)
    """
    make = find(SCHEDULES, str(getattr(name, "value", name)), "Transformers")
    given = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    counts = {key: updates(key, value) for key, value in given.items() if value is not None}
    return make(float(lr), **counts, **(scheduler_specific_kwargs or {}))


def constant(lr: float, num_warmup_steps: int = 0, num_training_steps: int = 0) -> Schedule:
    return Constant(lr)


def constant_with_warmup(lr: float, num_warmup_steps: int, num_training_steps: int = 0) -> Schedule:
    return Constant(lr).warmup(num_warmup_steps, offset=0)


def linear(lr: float, num_warmup_steps: int, num_training_steps: int) -> Schedule:
    decay = Linear(lr, 0.0, left(num_warmup_steps, num_training_steps))
    return decay.warmup(num_warmup_steps, offset=0)


def cosine(lr: float, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5) -> Schedule:
    decay = waves(lr, left(num_warmup_steps, num_training_steps), num_cycles)
    return decay.warmup(num_warmup_steps, offset=0)


def cosine_with_restarts(lr: float, num_warmup_steps: int, num_training_steps: int, num_cycles: int = 1) -> Schedule:
    steps = left(num_warmup_steps, num_training_steps)
    whole = steps % num_cycles == 0
    cycle = CosineDecay(lr, steps // num_cycles if whole else steps, past="repeat")
    cycles = cycle if whole else cycle.stretch(1 / num_cycles)
    return cycles.then(0.0, at=steps).warmup(num_warmup_steps, offset=0)


def polynomial(
    lr: float, num_warmup_steps: int, num_training_steps: int, lr_end: float = 1e-7, power: float = 1.0
) -> Schedule:
    decay = PolynomialDecay(lr, left(num_warmup_steps, num_training_steps), lr_end, power)
    return decay.warmup(num_warmup_steps, offset=0)


def inverse_sqrt(
    lr: float, num_warmup_steps: int, num_training_steps: int = 0, timescale: float | None = None
) -> Schedule:
    decay = InverseSqrtDecay(lr, timescale or num_warmup_steps or 10_000)
    return decay.warmup(num_warmup_steps, offset=0)


def cosine_with_min_lr(
    lr: float,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> Schedule:
    end = least(lr, min_lr, min_lr_rate)
    return waves(lr, left(num_warmup_steps, num_training_steps), num_cycles, end).warmup(num_warmup_steps, offset=0)


def cosine_warmup_with_min_lr(
    lr: float,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> Schedule:
    """The schedule whose warmup is complete in its last update, so that the cosine begins with the next."""
    steps = left(num_warmup_steps, num_training_steps)
    decay = waves(lr, steps, num_cycles, least(lr, min_lr, min_lr_rate))
    if num_warmup_steps == 0:
        return decay.shift(-1)
    if warmup_lr_rate is None:
        return decay.warmup(num_warmup_steps)
    start = warmup_lr_rate * lr
    if num_warmup_steps == 1:
        return Constant(start).then(decay.shift(-1), at=1)
    return decay.warmup(num_warmup_steps - 1, start=start, offset=0)


def warmup_stable_decay(
    lr: float,
    num_warmup_steps: int,
    num_training_steps: int | None = None,
    *,
    num_decay_steps: int,
    num_stable_steps: int | None = None,
    warmup_type: Kind = "linear",
    decay_type: DecayKind = "cosine",
    min_lr_ratio: float = 0.0,
    num_cycles: float = 0.5,
) -> Schedule:
    end = min_lr_ratio * lr
    if num_stable_steps is None:
        if num_training_steps is None:
            raise ValueError("neither num_training_steps nor num_stable_steps is given: pass one of them")
        num_stable_steps = num_training_steps - num_warmup_steps - num_decay_steps
    if decay_type == "cosine" and num_cycles != 0.5:
        wave = waves(lr, num_decay_steps, num_cycles, end).then(end, at=num_decay_steps)
        steady = Constant(lr).then(wave, at=num_stable_steps)
    else:
        steady = WSD(lr, 0, num_stable_steps, num_decay_steps, end, decay_kind=decay_type)
    return steady.warmup(num_warmup_steps, start=end, kind=warmup_type, offset=0)


def waves(lr: float, steps: int, num_cycles: float, end: float = 0.0) -> Schedule:
    """A cosine with so many periods in `steps` that continues after them."""
    half = CosineDecay(lr, steps, end, past="mirror")
    return half if num_cycles == 0.5 else half.stretch(0.5 / num_cycles)


def left(num_warmup_steps: int, num_training_steps: int) -> int:
    if num_training_steps <= num_warmup_steps:
        raise ValueError(
            f"num_training_steps is {num_training_steps} and num_warmup_steps is {num_warmup_steps}: no updates are "
            "left for the decay; pass more training steps than warmup steps"
        )
    return num_training_steps - num_warmup_steps


def least(lr: float, min_lr: float | None, min_lr_rate: float | None) -> float:
    if min_lr is not None and min_lr_rate is None:
        return min_lr
    if min_lr is None and min_lr_rate is not None:
        return min_lr_rate * lr
    raise ValueError(f"min_lr is {min_lr} and min_lr_rate is {min_lr_rate}: pass exactly one of them")


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    each.__name__: each
    for each in (
        constant,
        constant_with_warmup,
        linear,
        cosine,
        cosine_with_restarts,
        polynomial,
        inverse_sqrt,
        cosine_with_min_lr,
        cosine_warmup_with_min_lr,
        warmup_stable_decay,
    )
}
