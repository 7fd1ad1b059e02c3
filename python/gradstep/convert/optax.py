"""Schedules of optax."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import mul
from typing import Any

from gradstep.convert.peer import find, updates
from gradstep.schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    Linear,
    Piecewise,
    PiecewiseLinear,
    PolynomialDecay,
    Schedule,
    join,
)

Scales = Mapping[int, float]


def from_optax(constructor: str | Callable[..., Any], *arguments: Any, **options: Any) -> Schedule:
    """The schedule with the values of one that optax constructs.

    By default optax computes in float32, so its values differ by rounding.

    Args:
        constructor: a function of ``optax.schedules`` or its name, such as ``optax.cosine_decay_schedule``. It
            returns a closure whose settings can't be read, so pass the constructor and its arguments.
        arguments, options: the constructor's arguments. The schedules for ``join_schedules`` are gradstep's.

    Raises:
        TypeError: the constructor is another one, or does not take an argument.
        ValueError: a number of steps is not whole.

    >>> from_optax("warmup_cosine_decay_schedule", 0.0, peak_value=1e-3, warmup_steps=100, decay_steps=1000)
    CosineDecay(init=0.001, steps=900).warmup(100, offset=0)
    """
    name = constructor if isinstance(constructor, str) else getattr(constructor, "__qualname__", repr(constructor))
    if "<locals>" in name:
        raise TypeError(
            f"{name.partition('.')[0]} returned this closure, whose settings can't be read: pass the "
            "constructor and its arguments, as in from_optax(optax.cosine_decay_schedule, 1e-3, decay_steps=100)"
        )
    return find(CONSTRUCTORS, name, "optax")(*arguments, **options)


def constant_schedule(value: Any) -> Schedule:
    return Constant(float(value))


def linear_schedule(init_value: Any, end_value: Any, transition_steps: Any, transition_begin: Any = 0) -> Schedule:
    if transition_steps <= 0:
        return Constant(float(init_value))
    line = Linear(float(init_value), float(end_value), updates("transition_steps", transition_steps))
    return begun(line, transition_begin)


def polynomial_schedule(
    init_value: Any, end_value: Any, power: Any, transition_steps: Any, transition_begin: Any = 0
) -> Schedule:
    if transition_steps <= 0:
        return Constant(float(init_value))
    steps = updates("transition_steps", transition_steps)
    decay = PolynomialDecay(float(init_value), steps, float(end_value), float(power))
    return begun(decay, transition_begin)


def exponential_decay(
    init_value: Any,
    transition_steps: Any,
    decay_rate: Any,
    transition_begin: Any = 0,
    staircase: bool = False,
    end_value: Any = None,
) -> Schedule:
    if transition_steps <= 0 or decay_rate == 0:
        return Constant(float(init_value))
    rate, steps = float(decay_rate), updates("transition_steps", transition_steps)
    decay = begun(ExponentialDecay(float(init_value), rate, steps, bool(staircase)), transition_begin)
    if end_value is None:
        return decay
    return decay.clip(lo=float(end_value)) if rate < 1 else decay.clip(hi=float(end_value))


def begun(schedule: Schedule, at: Any) -> Schedule:
    return schedule.shift(updates("transition_begin", at)) if at > 0 else schedule


def cosine_decay_schedule(init_value: Any, decay_steps: Any, alpha: Any = 0.0, exponent: Any = 1.0) -> Schedule:
    return cosine(float(init_value), updates("decay_steps", decay_steps), float(alpha), float(exponent))


def cosine(init: float, steps: int, alpha: float, exponent: float) -> Schedule:
    if exponent == 1:
        return CosineDecay(init, steps, alpha * init)
    decayed = CosineDecay(1.0, steps) ** exponent * ((1 - alpha) * init)
    return decayed + alpha * init if alpha else decayed


def warmup_constant_schedule(init_value: Any, peak_value: Any, warmup_steps: Any) -> Schedule:
    return linear_schedule(init_value, peak_value, warmup_steps)


def warmup_cosine_decay_schedule(
    init_value: Any, peak_value: Any, warmup_steps: Any, decay_steps: Any, end_value: Any = 0.0, exponent: Any = 1.0
) -> Schedule:
    warmup, peak = updates("warmup_steps", warmup_steps), float(peak_value)
    alpha = float(end_value) / peak if peak else 0.0
    decay = cosine(peak, updates("decay_steps", decay_steps) - warmup, alpha, float(exponent))
    return decay.warmup(warmup, start=float(init_value), offset=0)


def warmup_exponential_decay_schedule(
    init_value: Any,
    peak_value: Any,
    warmup_steps: Any,
    transition_steps: Any,
    decay_rate: Any,
    transition_begin: Any = 0,
    staircase: bool = False,
    end_value: Any = None,
) -> Schedule:
    rise = linear_schedule(init_value, peak_value, warmup_steps)
    decay = exponential_decay(peak_value, transition_steps, decay_rate, transition_begin, staircase, end_value)
    return join([rise, decay], [updates("warmup_steps", warmup_steps)])


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    cycles = list(cosine_kwargs)
    ends = itertools.accumulate(updates("decay_steps", each["decay_steps"]) for each in cycles[:-1])
    return join([warmup_cosine_decay_schedule(**each) for each in cycles], list(ends))


def piecewise_constant_schedule(init_value: Any, boundaries_and_scales: Scales | None = None) -> Schedule:
    boundaries, values = scaled(init_value, boundaries_and_scales)
    return Piecewise(boundaries, values)


def piecewise_interpolate_schedule(
    interpolate_type: str, init_value: Any, boundaries_and_scales: Scales | None = None
) -> Schedule:
    boundaries, values = scaled(init_value, boundaries_and_scales)
    points = list(dict(zip([0, *boundaries], values, strict=True)).items())  # at 0 the first boundary's value counts
    if interpolate_type not in ("linear", "cosine"):
        raise ValueError(f"interpolate_type is {interpolate_type!r}: it must be one of 'linear', 'cosine'")
    if len(points) == 1:
        return Constant(values[-1])
    if interpolate_type == "linear":
        return PiecewiseLinear(points)
    waves = [CosineDecay(v, after - before, w) for (before, v), (after, w) in itertools.pairwise(points)]
    return join(waves, [at for at, _ in points[1:-1]])


def scaled(init_value: Any, boundaries_and_scales: Scales | None) -> tuple[list[int], list[float]]:
    """optax gives scales; each applies to the value before it."""
    pairs = sorted((boundaries_and_scales or {}).items())
    values = itertools.accumulate((float(scale) for _, scale in pairs), mul, initial=float(init_value))
    return [updates("boundary", at) for at, _ in pairs], list(values)


def linear_onecycle_schedule(
    transition_steps: Any,
    peak_value: Any,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    scales = {
        int(pct_start * transition_steps): div_factor,
        int(pct_final * transition_steps): 1 / div_factor,
        transition_steps: 1 / final_div_factor,
    }
    return piecewise_interpolate_schedule("linear", float(peak_value) / div_factor, scales)


def cosine_onecycle_schedule(
    transition_steps: Any,
    peak_value: Any,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    scales = {int(pct_start * transition_steps): div_factor, transition_steps: 1 / (div_factor * final_div_factor)}
    return piecewise_interpolate_schedule("cosine", float(peak_value) / div_factor, scales)


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[int]) -> Schedule:
    return join(schedules, boundaries)


CONSTRUCTORS: dict[str, Callable[..., Schedule]] = {
    each.__name__: each
    for each in (
        constant_schedule,
        linear_schedule,
        polynomial_schedule,
        exponential_decay,
        cosine_decay_schedule,
        warmup_constant_schedule,
        warmup_cosine_decay_schedule,
        warmup_exponential_decay_schedule,
        sgdr_schedule,
        piecewise_constant_schedule,
        piecewise_interpolate_schedule,
        linear_onecycle_schedule,
        cosine_onecycle_schedule,
        join_schedules,
    )
}
