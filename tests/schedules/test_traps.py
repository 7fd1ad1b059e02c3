"""Known mistakes of schedules, each by its name in the list of traps.

T3, constructors that change the optimizer, has no counterpart: a schedule knows no optimizer.
"""

from fractions import Fraction

import numpy as np
import pytest

import gradstep as gs
from support.compositions import COMPOSED
from support.schedule_reference import LEAVES, exact
from support.tolerances import FEW_ULP, OTHER_ALGORITHM, TENS_OF_ULP


def test_T1_inverse_time_does_not_compound():
    assert gs.InverseTimeDecay(0.1, 0.01)(99) == pytest.approx(0.1 / 1.99, rel=FEW_ULP)
    assert gs.InverseTimeDecay(0.1, 0.1)(19) == pytest.approx(0.1 / 2.9, rel=FEW_ULP)


@pytest.mark.parametrize(
    ("s", "t"),
    [
        (gs.ExponentialDecay(0.1, 0.99999), 60_000),
        (gs.Linear(1, 0, 60_000), 59_999),
        (gs.CosineDecay(0.1, 100, past="mirror"), 100_001),
    ],
)
def test_T2_values_are_closed_forms(s, t):
    assert abs(s(t) / exact(s, t) - 1) < OTHER_ALGORITHM
    s(range(100))
    assert s(t) == gs.from_json(s.to_json())(t)


@pytest.mark.parametrize("steps", [1, 3, 10, 243, 1000])
def test_T5_every_restart_is_exactly_the_peak(steps):
    s = gs.CosineDecay(0.1, steps, past="repeat")
    for cycle in [1, 2, 3, 121, 242, 243, 2**30]:
        assert s(cycle * steps) == 0.1
        if steps > 1:
            assert 0 < s(cycle * steps - 1) < 0.1


@pytest.mark.parametrize("decay", [1.0, 0.75])
@pytest.mark.parametrize("mult", [2, 3, 5, 1.5])
@pytest.mark.parametrize("steps", [1, 10, 243])
def test_T5_growing_cycles_restart_exactly_at_the_peak(steps, mult, decay):
    s = gs.CosineRestarts(0.1, steps, mult=mult, decay=decay)
    start, cycle = 0, 0
    while start <= 2**40:
        peak = exact(gs.StepDecay(0.1, 1, decay), cycle)
        assert s(start) == 0.1 if decay == 1 else abs(s(start) / peak - 1) < FEW_ULP
        length = round(steps * Fraction(mult) ** cycle)
        if length > 1:
            assert 0 <= s(start + length - 1) < s(start)
        start, cycle = start + length, cycle + 1


def test_T6_one_cycle_holds_its_end_and_never_divides_by_zero():
    for options in ({}, {"anneal": "linear"}, {"anneal": "linear", "three_phase": True}):
        s = gs.OneCycle(1.0, 10, end_at="last", **options)
        assert s([9, 10, 11, 1000]).tolist() == [1 / 25 / 1e4] * 4
        assert s(range(100)).min() == s(9)
    assert gs.OneCycle(1.0, 10, pct_start=0.1, end_at="last")(0) == 1.0  # no rise is left
    assert gs.OneCycle(1.0, 10, pct_start=0)(0) == 1.0
    with pytest.raises(ValueError, match="no value at t = 10"):
        gs.OneCycle(1.0, 10, end_at="last", past="error")(10)


def test_T7_cyclic_scales_by_cycle_or_by_update():
    t = np.arange(60)
    triangle = gs.Cyclic(0.0, 1.0, 4, 6)(t)
    np.testing.assert_allclose(gs.Cyclic(0.0, 1.0, 4, 6, "triangular2")(t), triangle * 0.5 ** (t // 10), rtol=FEW_ULP)
    np.testing.assert_allclose(gs.Cyclic(0.0, 1.0, 4, 6, "exp_range", 0.9)(t), triangle * 0.9**t, rtol=TENS_OF_ULP)


def test_T9_the_inverse_square_roots_are_all_here():
    t = np.arange(50, 400)  # after a warmup of 50
    for s, peer in [
        (gs.InverseSqrtDecay(0.1, 20).warmup(50, offset=0), 0.1 / np.sqrt((t + 20 - 50) / 20)),
        (gs.InverseSqrtDecay(0.1, 50).shift(50), 0.1 * np.sqrt(50) / np.sqrt(t)),
        (gs.InverseSqrtDecay(0.1, 20, shift=7).warmup(50, offset=0), 0.1 / np.sqrt(1 + (t + 7 - 50) / 20)),
        (gs.InverseSqrtDecay(50**-0.5, 50).shift(50), 1 / np.sqrt(np.maximum(t, 50))),
        (gs.Noam(512, 50), 512**-0.5 * np.minimum((t + 1) ** -0.5, (t + 1) * 50**-1.5)),
    ]:
        np.testing.assert_allclose(s(t), peer, rtol=TENS_OF_ULP)


def test_T10_polynomials_are_relative_and_sigmoids_signed():
    s = gs.PolynomialDecay(1e-3, 10_000, end=1e-5, power=2)
    assert s(0) == 1e-3
    assert s(range(20_000)).max() == 1e-3
    sigmoid = gs.Sigmoid(1.0, 0.1, 100)
    assert 0 < sigmoid(0) < sigmoid(50) < sigmoid(100) == 0.5 < sigmoid(200) < 1


def test_T13_the_cosine_stays_down():
    s = gs.CosineDecay(1.0, 100, end=0.1)
    assert set(s(range(100, 300))) == {0.1}


@pytest.mark.parametrize(
    "s",
    [
        gs.OneCycle(1.0, 100),
        gs.WSD(1.0, 10, 50, 40, end=0.1, decay_kind="cosine"),
        gs.REX(1.0, 100),
        gs.CosineDecay(1.0, 100, k=2, exponent=2),
        gs.LinearCosine(1.0, 100),
        gs.PiecewiseLinear([(0, 1.0), (100, 0.1)]),
        gs.Table(np.linspace(1, 0.1, 101)),
    ],
    ids=repr,
)
def test_T13_nothing_rises_after_its_end(s):
    assert set(s(range(100, 300))) == {s(100)}


@pytest.mark.parametrize("s", LEAVES + COMPOSED, ids=repr)
def test_T14_any_order_gives_the_same_values(s):
    forth = [s(t) for t in range(100)]
    back = [s(t) for t in reversed(range(100))]
    assert forth == back[::-1]


@pytest.mark.parametrize("t", [2**24 + 1, 2**31 + 1, 2**32 + 3, 2**40 + 1, 2**53 - 1])
def test_T15_large_steps_are_all_different(t):
    s = gs.Linear(0, 1, 2**53)
    assert s(t) == t / 2**53
    assert list(s([t - 1, t, t + 1])) == [(t - 1) / 2**53, t / 2**53, (t + 1) / 2**53]
    assert gs.Piecewise([t], [0.0, 1.0])([t - 1, t]).tolist() == [0, 1]
    assert gs.Constant(0).then(gs.Linear(0, 1, 2), at=t - 1)([t - 1, t]).tolist() == [0, 0.5]
    assert gs.StepDecay(1.0, t, 0.5)([t - 1, t]).tolist() == [1, 0.5]
    assert gs.Periodic(1.0, [(t, 0.5)])([t - 1, t]).tolist() == [1, 0.5]
    assert gs.PiecewiseLinear([(t - 2, 0.0), (t, 1.0)])([t - 1, t]).tolist() == [0.5, 1]
    assert gs.CosineRestarts(1.0, t // 2, mult=1.5)(t // 2) == gs.CosineRestarts(1.0, t)(t) == 1
    assert gs.Uniform(0, 1, seed=1)(t) != gs.Uniform(0, 1, seed=1)(t - 1)


def test_T16_zeros_divide_nothing():
    assert list(gs.Piecewise([2], [0.0, 1.0])(range(4))) == [0, 0, 1, 1]
    assert list(gs.Linear(0.0, 1.0, 2)(range(4))) == [0, 0.5, 1, 1]
    s = gs.PolynomialDecay(1.0, 3)
    assert s.warmup(0) is s
    assert gs.PolynomialDecay(1.0, 1).warmup(1)([0, 1]).tolist() == [1, 0]
    for kind in (gs.Linear(1, 0, 1), gs.CosineDecay(1, 1), gs.PolynomialDecay(1, 1)):
        assert kind([0, 1, 2]).tolist() == [1, 0, 0]
    assert gs.WSD(1.0, 0, 0, 1)([0, 1]).tolist() == [1, 0]
    assert gs.CosineRestarts(1.0, 1)([0, 1, 2]).tolist() == [1, 1, 1]
    assert gs.Cyclic(0.0, 1.0, 1)([0, 1, 2]).tolist() == [0, 1, 0]
    assert gs.OneCycle(0.0, 1)([0, 1]).tolist() == [0, 0]
    with pytest.raises(ValueError, match="steps is 0: it counts updates and must be 1 or more"):
        gs.CosineDecay(1.0, 0)
    with pytest.raises(ValueError, match="end_at='last' it must be 2 or more"):
        gs.CosineDecay(1.0, 1, end_at="last")


@pytest.mark.parametrize(
    "s",
    [
        gs.MultiStep(1.0, [10], 0.5),
        gs.StepDecay(1.0, 10, 0.5),
        gs.Piecewise([10], [1.0, 0.5]),
        gs.ExponentialDecay(1.0, 0.5, steps=10, staircase=True),
        gs.Constant(1.0).then(0.5, at=10),
        gs.Periodic(1.0, [(10, 0.5), (11, 0.5)]),
        gs.Table([1.0] * 10 + [0.5]),
    ],
)
def test_T17_a_milestone_takes_the_new_value(s):
    assert s([9, 10, 11]).tolist() == [1, 0.5, 0.5]


def test_T18_the_documents_formulas_are_right_here():
    t = np.arange(1, 200)
    # a fraction in the exponent is exponential decay, not inverse time
    np.testing.assert_allclose(gs.ExponentialDecay(0.1, 0.5, 100)(t), 0.1 * 0.5 ** (t / 100), rtol=TENS_OF_ULP)
    np.testing.assert_allclose(gs.InverseTimeDecay(0.1, 0.5, 100)(t), 0.1 / (1 + 0.5 * t / 100), rtol=TENS_OF_ULP)
    # a floor is a maximum: the rate decays until there
    floored = gs.Callable(lambda t: 0.1 * 0.99**t, 2000).clip(lo=1e-4)
    assert floored([0, 100, 5000]).tolist() == [0.1, 0.1 * 0.99**100, 1e-4]
    # the first update uses the first rate, not one that has decayed
    assert gs.NaturalExpDecay(0.1, 0.5)(0) == gs.ExponentialDecay(0.1, 0.5)(0) == 0.1
    # Adam's factor falls and rises to 1; 1 / (1 - beta t / T) is not it
    root = (1 - gs.ExponentialDecay(0.999, 0.999)) ** 0.5
    adam = 0.1 * root / (1 - gs.ExponentialDecay(0.9, 0.9))
    np.testing.assert_allclose(adam(t - 1), 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t), rtol=OTHER_ALGORITHM)
    grows = 0.1 / gs.Linear(1, 0.1, 200)
    np.testing.assert_allclose(grows(t), 0.1 / (1 - 0.9 * t / 200), rtol=TENS_OF_ULP)
