"""Every leaf against its definition, at its exact points, and past its end."""

import numpy as np
import pytest
from schedule_reference import LEAVES, exact

import gradstep as gs
from gradstep.schedules.joining import operands
from gradstep.schedules.operators import operand

# t / steps is rounded before it becomes an exponent or an angle, so the error grows with t.
RELATIVE = 1e-15
FINITE = [gs.Linear, gs.PolynomialDecay, gs.CosineDecay]


def finite(kind, init, end, steps, **options):
    return gs.Linear(init, end, steps, **options) if kind is gs.Linear else kind(init, steps, end, **options)


@pytest.mark.parametrize("s", LEAVES, ids=repr)
def test_leaf_is_its_definition(s):
    for t in [*range(120), 1000, 10_007]:
        value = exact(s, t)
        assert abs(s(t) - value) <= RELATIVE * (1 + t / 100) * max(abs(value), 0.1)


def test_every_leaf_has_a_reference():
    leaves = {kind for kind in gs.Schedule.classes.values() if not {operand, operands} & set(kind.checks().values())}
    assert {type(s) for s in LEAVES} == leaves


@pytest.mark.parametrize("kind", FINITE)
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 1000, 99_991, 2**40 + 1])
def test_init_and_end_are_exact(kind, steps):
    for init, end in [(0.1, 0.0), (0.3, 0.1), (1e-3, 1 / 3), (0.7, -0.7)]:
        s = finite(kind, init, end, steps)
        assert s(0) == init
        assert s(steps) == end
        assert s(steps + 1) == s(2**53) == end


@pytest.mark.parametrize("kind", FINITE)
def test_end_at_last_reaches_the_end_with_the_last_update(kind):
    s = finite(kind, 0.3, 0.1, 10, end_at="last")
    assert s(0) == 0.3
    assert s(8) > s(9) == s(10) == 0.1
    np.testing.assert_array_equal(s(range(10)), finite(kind, 0.3, 0.1, 9)(range(10)))


@pytest.mark.parametrize("kind", FINITE)
@pytest.mark.parametrize(("end_at", "length"), [("steps", 10), ("last", 9)])
def test_past(kind, end_at, length):
    once = finite(kind, 0.3, 0.1, 10, end_at=end_at)
    t = np.arange(60)
    repeat = finite(kind, 0.3, 0.1, 10, end_at=end_at, past="repeat")
    np.testing.assert_array_equal(repeat(t), once(t % 10))
    mirror = finite(kind, 0.3, 0.1, 10, end_at=end_at, past="mirror")
    np.testing.assert_array_equal(mirror(t), once(length - abs(t % (2 * length) - length)))
    error = finite(kind, 0.3, 0.1, 10, end_at=end_at, past="error")
    np.testing.assert_array_equal(error(t[: length + 1]), once(t[: length + 1]))
    message = rf"no value at t = {length + 1}: with past='error' it ends before"
    with pytest.raises(ValueError, match=message):
        error(length + 1)
    with pytest.raises(ValueError, match=message):
        error(t)


def test_cosine_extrapolated_is_its_mirror():
    t = np.arange(100)
    mirror, extrapolate = (gs.CosineDecay(0.3, 10, past=past) for past in ("mirror", "extrapolate"))
    np.testing.assert_allclose(extrapolate(t), mirror(t), rtol=0, atol=1e-15)


def test_staircase_counts_exactly_at_large_steps():
    random = np.random.default_rng(0)
    for n, k in random.integers(2, 2**26, (200, 2)).tolist():
        s = gs.InverseTimeDecay(1.0, 1.0, steps=n, staircase=True)
        assert s([n * k - 1, n * k, n * k + n - 1]).tolist() == [1 / k, 1 / (k + 1), 1 / (k + 1)]
