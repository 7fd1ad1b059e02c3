"""Schedules of Keras 3."""

from collections.abc import Callable
from typing import Any

from gradstep.convert.peer import find, kind_of, updates
from gradstep.schedules import (
    CosineDecay,
    CosineRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    Piecewise,
    PolynomialDecay,
    Schedule,
)


def from_keras(schedule: Any) -> Schedule:
    """The schedule with the values of a ``keras.optimizers.schedules`` object.

    Keras's boundaries have the old value: the value changes one step later.

    Args:
        schedule: ExponentialDecay, PiecewiseConstantDecay, PolynomialDecay, InverseTimeDecay, CosineDecay or
            CosineDecayRestarts. Keras computes in float32, so its values differ by rounding.

    Raises:
        TypeError: the class is another one.
        ValueError: a number of steps is not whole.

    >>> import keras
    >>> from_keras(keras.optimizers.schedules.PiecewiseConstantDecay([100, 200], [0.1, 0.05, 0.01]))
    Piecewise(boundaries=[101, 201], values=[0.1, 0.05, 0.01])
    """
    kind = kind_of(schedule, "keras")
    return find(CONVERTERS, kind, "Keras")(schedule)


def exponential(peer: Any) -> Schedule:
    return ExponentialDecay(
        float(peer.initial_learning_rate),
        float(peer.decay_rate),
        updates("decay_steps", peer.decay_steps),
        bool(peer.staircase),
    )


def piecewise(peer: Any) -> Schedule:
    after = [updates(f"boundaries[{i}]", each) + 1 for i, each in enumerate(peer.boundaries)]
    return Piecewise(after, [float(each) for each in peer.values])


def polynomial(peer: Any) -> Schedule:
    return PolynomialDecay(
        float(peer.initial_learning_rate),
        updates("decay_steps", peer.decay_steps),
        float(peer.end_learning_rate),
        float(peer.power),
        bool(peer.cycle),
    )


def inverse_time(peer: Any) -> Schedule:
    return InverseTimeDecay(
        float(peer.initial_learning_rate),
        float(peer.decay_rate),
        updates("decay_steps", peer.decay_steps),
        staircase=bool(peer.staircase),
    )


def cosine(peer: Any) -> Schedule:
    init = float(peer.initial_learning_rate)
    steps = updates("decay_steps", peer.decay_steps)
    if peer.warmup_target is None:
        return CosineDecay(init, steps, float(peer.alpha) * init)
    peak = float(peer.warmup_target)
    decay = CosineDecay(peak, steps, float(peer.alpha) * peak)
    return decay.warmup(updates("warmup_steps", peer.warmup_steps), start=init, offset=0)


def cosine_restarts(peer: Any) -> Schedule:
    """Each cycle is scaled by m_mul; alpha, the floor, is not. t_mul must be whole, so that cycles have whole steps."""
    init, alpha = float(peer.initial_learning_rate), float(peer.alpha)
    cycles = CosineRestarts(
        init * (1 - alpha),
        updates("first_decay_steps", peer.first_decay_steps),
        mult=updates("t_mul", peer._t_mul),
        decay=float(peer._m_mul),
    )
    return cycles + alpha * init if alpha else cycles


CONVERTERS: dict[str, Callable[[Any], Schedule]] = {
    "ExponentialDecay": exponential,
    "PiecewiseConstantDecay": piecewise,
    "PolynomialDecay": polynomial,
    "InverseTimeDecay": inverse_time,
    "CosineDecay": cosine,
    "CosineDecayRestarts": cosine_restarts,
}
