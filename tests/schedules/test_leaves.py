"""Every leaf against its definition, at its exact points, and past its end."""

import json

import numpy as np
import pytest

import gradstep as gs
from gradstep.schedules.joining import operands
from gradstep.schedules.operators import operand
from support.schedule_reference import LEAVES, exact
from support.tolerances import FEW_ULP

# t / steps is rounded before it becomes an exponent or an angle, so the error grows with t.
RELATIVE = 1e-15
FINITE = [gs.Linear, gs.PolynomialDecay, gs.CosineDecay, gs.REX]


def finite(kind, init, end, steps, **options):
    return gs.Linear(init, end, steps, **options) if kind is gs.Linear else kind(init, steps, end, **options)


@pytest.mark.parametrize("s", LEAVES, ids=repr)
def test_leaf_is_its_definition(s):
    for t in [*range(120), 1000, 10_007]:
        value = exact(s, t)
        assert abs(s(t) - value) <= RELATIVE * (1 + t / 100) * max(abs(value), 0.1)


def test_every_leaf_has_a_reference():
    own = [kind for kind in gs.Schedule.classes.values() if kind.__module__.startswith("gradstep.")]  # not a test's
    assert {type(s) for s in LEAVES} == {kind for kind in own if not {operand, operands} & set(kind.checks().values())}


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


@pytest.mark.parametrize("s", [s for s in LEAVES if "past" in s.checks() and not getattr(s, "cycle", False)], ids=repr)
def test_there_is_no_value_past_an_end_that_is_an_error(s):
    hold, error = (gs.from_json(json.loads(s.to_json()) | {"past": past}) for past in ("hold", "error"))
    t = np.arange(s.length + 1)
    np.testing.assert_array_equal(error(t), hold(t))
    assert hold(s.length + 1) == hold(s.length)
    with pytest.raises(ValueError, match=f"no value at t = {s.length + 1}: with past='error' it ends before"):
        error(s.length + 1)


@pytest.mark.parametrize("kind", ["linear", "cosine", "1-sqrt", "1-square", "exp2", "exponential"])
@pytest.mark.parametrize("end_at", ["steps", "last"])
def test_phases_meet_exactly(kind, end_at):
    early = end_at == "last"
    s = gs.WSD(0.3, 7, 5, 11, end=0.1, decay_kind=kind, end_at=end_at)
    assert set(s(range(6, 13))) == {0.3}
    assert s(22 - early) > s(23 - early) == s(1000) == 0.1
    cycle = gs.OneCycle(0.3, 20, pct_start=0.25, div=3, final_div=7, end_at=end_at)
    assert cycle([0, 5 - early, 20 - early]).tolist() == [0.3 / 3, 0.3, 0.3 / 3 / 7]


def test_a_function_is_sampled_once():
    calls = []
    s = gs.Callable(lambda t: calls.append(t) or 1.0 / (1 + t), 5)
    assert calls == list(range(6))
    assert s(range(8)).tolist() == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6, 1 / 6, 1 / 6]
    assert calls == list(range(6))
    assert s == gs.Table([1 / (1 + t) for t in range(6)])


def test_the_last_stage_that_matches_wins():
    assert gs.Periodic(1, [(2, 2), (4, 4), (6, 6)])([0, 2, 4, 6, 12]).tolist() == [6, 2, 4, 6, 6]
    assert gs.Periodic(1, [(6, 6), (4, 4), (2, 2)])([0, 2, 4, 6, 12]).tolist() == [2, 2, 2, 2, 2]


def test_stretched_time_stays_within_a_table():
    s = gs.Table([0.1, 0.2, 0.3]).stretch(2)
    assert s(range(6)).tolist() == [0.1, 0.1, 0.2, 0.2, 0.3, 0.3]


def test_cosine_extrapolated_is_its_mirror():
    t = np.arange(100)
    mirror, extrapolate = (gs.CosineDecay(0.3, 10, past=past) for past in ("mirror", "extrapolate"))
    np.testing.assert_allclose(extrapolate(t), mirror(t), rtol=0, atol=FEW_ULP)


def test_staircase_counts_exactly_at_large_steps():
    random = np.random.default_rng(0)
    for n, k in random.integers(2, 2**26, (200, 2)).tolist():
        s = gs.InverseTimeDecay(1.0, 1.0, steps=n, staircase=True)
        assert s([n * k - 1, n * k, n * k + n - 1]).tolist() == [1 / k, 1 / (k + 1), 1 / (k + 1)]
