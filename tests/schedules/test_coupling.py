"""Schedules that follow another."""

import numpy as np
import pytest

import gradstep as gs
from support.tolerances import FEW_ULP, TENS_OF_ULP, TWO_ULP

STAIRS = gs.Piecewise([5, 11], [0.3, 0.1, 0.7])
T = np.arange(40)


@pytest.mark.parametrize("momentum", [0.0, 0.6, 0.95])
def test_smooth_is_the_recursion(momentum):
    s = STAIRS.smooth(momentum, steps=30)
    rate = STAIRS(0)
    for t in range(31):
        rate = STAIRS(t) + momentum * (rate - STAIRS(t))
        assert s(t) == rate
    np.testing.assert_array_equal(s(range(31, 50)), s(30))


def test_smooth_approaches_a_constant_geometrically():
    s = gs.Piecewise([1], [1.0, 0.0]).smooth(0.9, steps=100)
    np.testing.assert_allclose(s(range(100)), 0.9 ** np.arange(100), rtol=TENS_OF_ULP)


def test_smooth_needs_values():
    with pytest.raises(ValueError, match="no value at t = 5"):
        gs.Linear(1.0, 0.5, 4, past="error").smooth(0.9, steps=20)(0)


@pytest.mark.parametrize("invert", [False, True])
def test_tied_maps_the_range(invert):
    rate = gs.CosineDecay(0.4, 10, end=0.1, past="mirror")
    s = gs.tied(rate, 0.85, 0.95, steps=20, invert=invert)
    way = (rate(T) - 0.1) / 0.3
    np.testing.assert_allclose(s(T), 0.85 + 0.1 * (1 - way if invert else way), rtol=FEW_ULP)
    ends = (0.85, 0.95) if invert else (0.95, 0.85)
    assert (s(0), s(10)) == ends


def test_tied_stays_between_lo_and_hi_at_later_steps():
    s = gs.tied(gs.Linear(0.0, 1.0, 10, past="extrapolate"), 0.85, 0.95, steps=10)
    assert s([0, 5, 10, 11, 10**9]).tolist() == [0.85, pytest.approx(0.9, rel=FEW_ULP), 0.95, 0.95, 0.95]


def test_tied_to_a_lower_end_that_is_not_zero():
    s = gs.tied(gs.PolynomialDecay(-0.3, 10, end=-0.8), -2, 3, steps=10)
    assert s([0, 10]).tolist() == [3, -2]


def test_layerwise_leaves_the_last_layer():
    s = gs.CosineDecay(0.3, 20, end=0.01)
    layers = gs.layerwise(s, layers=4, decay=0.75)
    assert layers[-1] is s
    for i, each in enumerate(layers):
        np.testing.assert_allclose(each(T), s(T) * 0.75 ** (3 - i), rtol=TWO_ULP)
    assert repr(layers[0]) == f"{s!r} * (Constant(value=0.75) ** 3.0)"
    assert gs.layerwise(0.1, 1, 0.75) == [gs.Constant(0.1)]
