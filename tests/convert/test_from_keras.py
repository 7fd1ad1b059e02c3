"""Keras's schedules, point by point."""

import re

import pytest

import gradstep as gs
from gradstep import convert
from support.agreement import FLOAT32, assert_agrees

pytest.importorskip("torch")
keras = pytest.importorskip("keras")
peer = keras.optimizers.schedules


@pytest.mark.parametrize(
    ("schedule", "steps"),
    [
        (peer.ExponentialDecay(0.3, 7, 0.6), 60),
        (peer.ExponentialDecay(0.3, 7, 0.6, staircase=True), 60),
        (peer.ExponentialDecay(0.3, 7.0, 0.6), 20),
        (peer.PiecewiseConstantDecay([5, 6, 40], [0.3, 0.2, 0.5, 0.1]), 60),
        (peer.PiecewiseConstantDecay([0], [0.3, 0.2]), 10),
        (peer.PolynomialDecay(0.3, 37, end_learning_rate=0.02, power=1.7), 111),
        (peer.PolynomialDecay(0.3, 37, end_learning_rate=0.02, power=1.7, cycle=True), 111),
        (peer.InverseTimeDecay(0.3, 7, 0.4), 60),
        (peer.InverseTimeDecay(0.3, 7, 0.4, staircase=True), 60),
        (peer.CosineDecay(0.3, 37, alpha=0.1), 111),
        (peer.CosineDecay(0.01, 37, alpha=0.1, warmup_target=0.3, warmup_steps=9), 111),
        (peer.CosineDecay(0.01, 37, alpha=0.1, warmup_target=0.3, warmup_steps=0), 60),
        (peer.CosineDecayRestarts(0.3, 8, t_mul=2.0, m_mul=0.7, alpha=0.1), 200),
        (peer.CosineDecayRestarts(0.3, 8, t_mul=1.0, m_mul=0.7), 60),
    ],
    ids=lambda case: repr(case.get_config()) if isinstance(case, peer.LearningRateSchedule) else None,
)
def test_values_are_keras(schedule, steps):
    converted = convert.from_keras(schedule)
    assert_agrees(converted, [float(schedule(t)) for t in range(steps)], FLOAT32)
    assert gs.from_json(converted.to_json()) == converted


def test_boundaries_belong_to_the_left():
    assert convert.from_keras(peer.PiecewiseConstantDecay([5, 9], [3.0, 2.0, 1.0])) == gs.Piecewise([6, 10], [3, 2, 1])


def test_a_warmup_is_not_a_part_of_the_decay():
    schedule = peer.CosineDecay(0.0, 30, warmup_target=0.5, warmup_steps=10)
    assert convert.from_keras(schedule) == gs.CosineDecay(0.5, 30).warmup(10, offset=0)


class Own(peer.ExponentialDecay):
    pass


@pytest.mark.parametrize(
    ("schedule", "kind", "message"),
    [
        (Own(0.3, 7, 0.6), TypeError, "Own, is not in keras: use gradstep.Callable(fn, steps)"),
        (0.3, TypeError, "0.3, a builtins.float, is not in keras"),
        (keras.optimizers.SGD(0.3), TypeError, "SGD of Keras can't be converted; can be: ExponentialDecay, "),
        (peer.ExponentialDecay(0.3, 2.5, 0.6), ValueError, "decay_steps is 2.5: a schedule counts whole updates"),
        (peer.CosineDecayRestarts(0.3, 8, t_mul=1.5), ValueError, "t_mul is 1.5: "),
    ],
)
def test_what_is_refused(schedule, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        convert.from_keras(schedule)
