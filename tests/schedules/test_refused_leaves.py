"""Errors of leaves with several parts."""

import re

import numpy as np
import pytest

import gradstep as gs


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: gs.Table([]), ValueError, "values is []: with past='hold' give at least 1"),
        (lambda: gs.Table([1], past="mirror"), ValueError, "values is [1.0]: with past='mirror' give at least 2"),
        (
            lambda: gs.Table([1, 2], past="extrapolate"),
            ValueError,
            "past is 'extrapolate': it must be one of 'hold', 'repeat', 'mirror', 'error'",
        ),
        (lambda: gs.Callable(lambda t: 1.0, 0), ValueError, "steps is 0: it counts updates and must be 1 or more"),
        (lambda: gs.Callable(lambda t: "a", 3), TypeError, "values[0] is 'a', a str: it must be a number"),
        (lambda: gs.Callable(lambda t: 1 / (t - 2), 3), ZeroDivisionError, "division by zero"),
        (lambda: gs.PiecewiseLinear([(0, 1)]), ValueError, "points is [(0, 1.0)]: give two or more"),
        (lambda: gs.PiecewiseLinear([0, 1]), TypeError, "points[0] is 0: it must be a pair of numbers"),
        (lambda: gs.PiecewiseLinear([(0, 1), (0.5, 1)]), TypeError, "points[1][0] is 0.5, a float: it counts updates"),
        (
            lambda: gs.PiecewiseLinear([(0, 1), (4, 1), (4, 2)]),
            ValueError,
            "steps must increase, but 4 follows 4",
        ),
        (lambda: gs.Periodic(1, [(0, 1)]), ValueError, "stages[0][0] is 0: it counts updates and must be 1 or more"),
        (lambda: gs.Periodic(1, [(2, np.nan)]), ValueError, "stages[0][1] is nan: it must be a finite number"),
        (lambda: gs.Cyclic(0, 1, 0), ValueError, "up is 0: it counts updates and must be 1 or more"),
        (lambda: gs.Cyclic(0, 1, 3, down=0), ValueError, "down is 0: it counts updates and must be 1 or more"),
        (lambda: gs.Cyclic(0, 1, 3, mode="saw"), ValueError, "mode is 'saw': it must be one of 'triangular', "),
        (
            lambda: gs.Cyclic(0, 1, 3, gamma=0.9),
            ValueError,
            "gamma is 0.9, but mode is 'triangular': only mode='exp_range' decays by gamma",
        ),
        (
            lambda: gs.CosineRestarts(1, 3, mult=0.5),
            ValueError,
            "mult is 0.5: it must be 1, for equal cycles, or at least 1.001",
        ),
        (lambda: gs.CosineRestarts(1, 3, mult=1.0001), ValueError, "mult is 1.0001: it must be 1"),
        (
            lambda: gs.CosineRestarts(1, 1, end_at="last"),
            ValueError,
            "steps is 1: with end_at='last' it must be 2 or more",
        ),
        (
            lambda: gs.OneCycle(1, 10, pct_start=1),
            ValueError,
            "pct_start is 1.0: it must be below 1, to leave steps for the fall",
        ),
        (lambda: gs.OneCycle(1, 10, pct_start=0.5, three_phase=True), ValueError, "pct_start is 0.5: it must be below"),
        (lambda: gs.OneCycle(1, 10, div=0), ValueError, "div is 0: it must be above 0"),
        (lambda: gs.OneCycle(1, 1, end_at="last"), ValueError, "steps is 1: with end_at='last' it must be 2 or more"),
        (lambda: gs.WSD(1, 5, 5, 0), ValueError, "decay is 0: it counts updates and must be 1 or more"),
        (lambda: gs.WSD(1, 5, 5, 1, end_at="last"), ValueError, "decay is 1: with end_at='last' it must be 2 or more"),
        (
            lambda: gs.WSD(1, 5, 5, 5, decay_kind="exponential"),
            ValueError,
            "peak is 1.0 and end is 0.0: with decay_kind='exponential' both must be above 0",
        ),
        (lambda: gs.WSD(1, 5, 5, 5, decay_kind="sqrt"), ValueError, "decay_kind is 'sqrt': it must be one of 'linear'"),
        (lambda: gs.WSD(1, 2.5, 5, 5), TypeError, "warmup is 2.5, a float: it counts updates"),
        (
            lambda: gs.REX(1, 5, past="extrapolate"),
            ValueError,
            "the formula has a pole at t == 2 * steps: use another past",
        ),
        (lambda: gs.PolynomialDecay(1, 5, cycle=True, k=2), ValueError, "k is 2.0, but with cycle=True it must be 1"),
        (lambda: gs.CosineDecay(1, 5, k=0), ValueError, "k is 0: it must be above 0"),
        (lambda: gs.CosineDecay(1, 5, exponent=-1), ValueError, "exponent is -1: it must be above 0"),
        (lambda: gs.Noam(0, 5), ValueError, "d_model is 0: it must be above 0"),
        (lambda: gs.Noam(512, 0), ValueError, "warmup is 0: it counts updates and must be 1 or more"),
        (lambda: gs.PowerLaw(1, 0, -1), ValueError, "timescale is 0: it must be above 0"),
        (lambda: gs.Uniform(0, 1, seed=-1), ValueError, "seed is -1: it must be from 0 to 2**53"),
        (lambda: gs.Uniform(0, 1, seed=2**60), ValueError, "it must be from 0 to 2**53"),
        (lambda: gs.Uniform(0, 1, seed=1.5), TypeError, "seed is 1.5, a float: it must be an integer"),
        (lambda: gs.Uniform(0, 1, seed=True), TypeError, "seed is True: it must be an integer"),
        (lambda: gs.Uniform(1, 0, seed=1), ValueError, "low is 1.0 and high is 0.0: low must not be above high"),
        (lambda: gs.LogUniform(0, 1, seed=1), ValueError, "low is 0: it must be above 0"),
        (lambda: gs.LogUniform(2, 1, seed=1), ValueError, "low is 2.0 and high is 1.0: low must not be above high"),
    ],
)
def test_refused_arguments(make, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        make()
