"""Operators, joins and other times."""

import functools
import math

import numpy as np
import pytest

import gradstep as gs
from support.tolerances import TWO_ULP

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
        (A / B, A(T) / B(T)),
        (A / 3, A(T) / 3),
        (1 / B, 1 / B(T)),
        (-A, -A(T)),
        (-(A - B), B(T) - A(T)),
        (gs.minimum(A, B), np.minimum(A(T), B(T))),
        (gs.maximum(A, B), np.maximum(A(T), B(T))),
        (gs.minimum(0.2, A), np.minimum(A(T), 0.2)),
        (gs.maximum(A, np.float32(0.25)), np.maximum(A(T), 0.25)),
        (A.clip(0.05, 0.2), np.clip(A(T), 0.05, 0.2)),
        (A.clip(hi=0.2), np.minimum(A(T), 0.2)),
        (A.clip(lo=0.2), np.maximum(A(T), 0.2)),
        (A.then(B, at=17), np.where(T < 17, A(T), B(np.maximum(T - 17, 0)))),
        (A.then(0.5, at=17), np.where(T < 17, A(T), 0.5)),
        (A.shift(5), A(np.maximum(T - 5, 0))),
        (A.shift(-5), A(T + 5)),
        (A.shift(5).shift(-5), A(T)),
        (A.stretch(3, staircase=True), A(T // 3)),
        (A.stretch(0.5), A(2 * T)),
        (A.repeat(7), A(T % 7)),
        (A.repeat(7).shift(3), A(np.maximum(T - 3, 0) % 7)),
        (B.stretch(2).repeat(10), gs.Linear(0.1, 0.7, 26)(T % 10)),
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


def test_division_by_zero_names_the_step():
    s = 1 / gs.Linear(1.0, 0.0, 4)
    assert s(3) == 4
    message = "the schedule is infinite at t = 4: it divides by zero there, or its parts have grown too large"
    with pytest.raises(ValueError, match=message):
        s(4)
    with pytest.raises(ValueError, match=message):
        s(range(9))
    with pytest.raises(ValueError, match=message):
        (-s)(4)
    with pytest.raises(ValueError, match="infinite at t = 4"):
        (gs.Linear(1.0, 0.0, 4) ** -1)(4)
    with pytest.raises(ValueError, match=r"no value at t = 4: .* it divides 0 by 0"):
        (B.shift(-2) * 0 / gs.Linear(1.0, 0.0, 4))(4)
    assert s.clip(hi=9)(4) == 9


def test_roots_of_negative_numbers_name_the_step():
    s = gs.Linear(1.0, -1.0, 4) ** 0.5
    assert s([0, 2]).tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"no value at t = 3: .* takes a root of a negative number"):
        s(3)


def test_a_missing_value_stays_missing():
    ended = gs.Linear(1.0, 0.5, 4, past="error")
    for s in (ended**0, ended / 2, -ended, gs.minimum(ended, 1), gs.maximum(1, ended), ended.stretch(1)):
        assert np.isfinite(s(4))
        with pytest.raises(ValueError, match="no value at t = 5"):
            s(5)


@pytest.mark.parametrize("k", [2, 3, 0.5, -1, 1.7, 0])
def test_powers(k):
    # Both sides are about half an ulp from the truth.
    np.testing.assert_allclose((A**k)(T), A(T) ** k, rtol=TWO_ULP)
    assert eval(repr(A**k), vars(gs)) == A**k


def test_long_chains():
    """Hundreds of parts need no more room than two, in whichever way they are combined from the left."""
    ones = [gs.Constant(1.0) + 0 * B] * 150
    assert sum(ones)(7) == 150
    assert math.prod(ones)(7) == 1
    assert functools.reduce(gs.minimum, ones)(7) == 1
    assert functools.reduce(lambda all, each: all.then(each, at=3), ones)(7) == 1
    total = sum(ones)
    assert gs.from_json(total.to_json()) == total
    assert eval(repr(total), vars(gs)) == total


def test_long_joins():
    children = [gs.Linear(k, k + 1, 10) for k in range(100)]
    s = gs.join(children, range(10, 1000, 10))
    np.testing.assert_allclose(s(range(1000)), np.arange(1000) / 10, rtol=TWO_ULP)
    assert eval(repr(s), vars(gs)) == gs.from_json(s.to_json()) == s


def test_too_deep_nesting_says_what_to_do():
    deep = gs.Constant(1)
    for _ in range(20):
        deep = 1 + deep
    with pytest.raises(ValueError, match="nested more than 16 deep: combine its parts from the left"):
        deep(0)
    late = B
    for _ in range(20):
        late = late.shift(1)
    with pytest.raises(ValueError, match="nested more than 16 deep: shift, stretch, repeat, join or warm up its parts"):
        late(0)


@pytest.mark.parametrize("k", [2, 2.5, 0.3, 391])
def test_stretch_divides_the_time(k):
    s = gs.Linear(0.0, 1.0, 20)
    np.testing.assert_array_equal(s.stretch(k)(T), np.minimum(T / k, 20) / 20)
    np.testing.assert_array_equal(s.stretch(k, staircase=True)(T), np.minimum(T // k, 20) / 20)


def test_stages_are_a_join_by_durations():
    s = gs.stages([(3, A), (0, 9.0), (2, 0.5)], last=B)
    assert s == gs.join([A, 9.0, 0.5, B], [3, 3, 5])
    np.testing.assert_array_equal(s(range(8)), [*A(range(3)), 0.5, 0.5, *B(range(3))])
    assert gs.stages([], last=B)(7) == B(7)
