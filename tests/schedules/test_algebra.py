"""Operators and warmup."""

import numpy as np
import pytest

import gradstep as gs

A, B = gs.CosineDecay(0.3, 20, end=0.01), gs.Linear(0.1, 0.7, 13)
T = np.arange(60)


@pytest.mark.parametrize(
    ("s", "expected"),
    [
        (A * B, A(T) * B(T)),
        (A + B, A(T) + B(T)),
        (A - B, A(T) - B(T)),
        (A * 0.1, A(T) * 0.1),
        (2 * A, 2 * A(T)),
        (A + 1, A(T) + 1),
        (1 - A, 1 - A(T)),
        (np.float64(2) * A, 2 * A(T)),
        (A.clip(0.05, 0.2), np.clip(A(T), 0.05, 0.2)),
        (A.clip(hi=0.2), np.minimum(A(T), 0.2)),
        (A.clip(lo=0.2), np.maximum(A(T), 0.2)),
        (A.then(B, at=17), np.where(T < 17, A(T), B(np.maximum(T - 17, 0)))),
        (A.then(0.5, at=17), np.where(T < 17, A(T), 0.5)),
        (A.shift(5), A(np.maximum(T - 5, 0))),
        (A.shift(-5), A(T + 5)),
        (A.shift(5).shift(-5), A(T)),
        ((A + B).shift(-3).then(B * A, at=9), np.where(T < 9, (A + B)(T + 3), (A * B)(np.maximum(T - 9, 0)))),
    ],
    ids=repr,
)
def test_operators_are_those_of_the_values(s, expected):
    np.testing.assert_array_equal(s(T), expected)
    assert eval(repr(s), vars(gs)) == s


def test_the_branch_not_taken_may_have_ended():
    s = gs.Linear(1, 0, 4, past="error").then(gs.Constant(7), at=5)
    assert s([4, 5, 9]).tolist() == [0, 7, 7]


@pytest.mark.parametrize("offset", [0, 1, 2, 5])
@pytest.mark.parametrize("start", [0.0, 0.05, 2.0])
def test_prefix_reaches_the_peak_once(offset, start):
    s = A.warmup(5, start=start, offset=offset)
    complete = 5 - offset
    way = [start + (0.3 - start) * (t + offset) / 5 for t in range(complete)]
    np.testing.assert_allclose(s(T[:complete]), way, rtol=4e-16)
    np.testing.assert_array_equal(s(T[complete:]), A(T[complete:] - complete))
    assert s(complete) == 0.3
    assert np.count_nonzero(s(T) == 0.3) == 1


def test_scale_aims_at_the_curve():
    s = A.warmup(5, start=0.05, mode="scale")
    way = np.minimum((T + 1) / 5, 1)
    np.testing.assert_allclose(s(T), 0.05 + (A(T) - 0.05) * way, rtol=1e-15)
    np.testing.assert_array_equal(s(T[4:]), A(T[4:]))


def test_overlay_jumps_where_the_curve_has_decayed():
    s = B.warmup(5, mode="overlay")
    np.testing.assert_allclose(s(T[:4]), 0.1 * (T[:4] + 1) / 5, rtol=4e-16)
    np.testing.assert_array_equal(s(T[4:]), B(T[4:]))


def test_long_chains_and_deep_nesting():
    total = gs.Constant(0)
    for _ in range(200):
        total = total + 1
    assert total(0) == 200
    deep = gs.Constant(1)
    for _ in range(20):
        deep = 1 + deep
    with pytest.raises(ValueError, match="nested more than 16 deep: combine its parts from the left"):
        deep(0)
