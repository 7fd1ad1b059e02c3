"""Schedules as values: equality, hash, JSON, copies, and what is refused."""

import copy
import json
import pickle
import re

import numpy as np
import pytest

import gradstep as gs
from support.compositions import COMPOSED, S
from support.schedule_reference import LEAVES


@pytest.mark.parametrize("s", LEAVES + COMPOSED, ids=repr)
def test_round_trips(s):
    for other in (
        gs.from_json(s.to_json()),
        gs.from_json(json.loads(s.to_json())),
        eval(repr(s), vars(gs)),
        gs.from_expression(repr(s)),
        pickle.loads(pickle.dumps(s)),
        copy.copy(s),
        copy.deepcopy(s),
    ):
        assert other == s
        assert hash(other) == hash(s)
        assert repr(other) == repr(s)
        np.testing.assert_array_equal(other(range(60)), s(range(60)))


def test_all_differ():
    everything = LEAVES + COMPOSED
    assert len(set(everything)) == len(everything)
    assert S != 0.1


def test_equal_arguments_make_equal_schedules():
    assert gs.Linear(np.float32(0.5), -0.0, np.int64(10)) == gs.Linear(init=0.5, end=0, steps=10)
    assert gs.MultiStep(1, (2, 3), 0.5) == gs.MultiStep(1.0, np.array([2, 3]), 0.5)


def test_json_and_hash_never_change():
    text = '{"schedule":"Warmup","base":{"schedule":"CosineDecay","init":0.1,"steps":90,"past":"mirror"},"n":5}'
    s = gs.CosineDecay(0.1, 90, past="mirror").warmup(5)
    assert s.to_json() == text
    assert hash(s) == 38703221322912195


def test_schedules_are_immutable():
    with pytest.raises(AttributeError, match="cannot assign to field 'init'"):
        S.init = 1.0


@pytest.mark.parametrize("t", [3, np.int64(3), np.uint8(3)])
def test_a_step_gives_a_float(t):
    assert type(S(t)) is float
    assert S(t) == S(3)


@pytest.mark.parametrize("t", [[3, 4], (3, 4), range(3, 5), np.array([3, 4], np.uint64), np.array([3, 9, 4])[::2]])
def test_steps_give_an_array(t):
    values = S(t)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, [S(3), S(4)])


def test_shapes_are_kept():
    t = np.arange(12, dtype=np.int32).reshape(3, 4)
    np.testing.assert_array_equal(S(t.T), S(t).T)
    assert S(np.empty((0, 2))).shape == (0, 2)
    assert S(np.array(3)).shape == ()


STEP = "a step is the number of updates already applied"


@pytest.mark.parametrize(
    ("t", "kind", "message"),
    [
        (-1, ValueError, f"t is -1: {STEP}, from 0 to 2**53"),
        (2**53 + 1, ValueError, f"t is 9007199254740993: {STEP}"),
        (2**70, ValueError, f"t is {2**70}: {STEP}"),
        (-(2**70), ValueError, STEP),
        (
            3.0,
            TypeError,
            f"t is 3.0 of dtype float64: {STEP}, an integer from 0 to 2**53, or an array of such integers",
        ),
        (float("nan"), TypeError, "t is nan of dtype float64"),
        (True, TypeError, f"t is True: {STEP}"),
        ("3", TypeError, "t is '3' of dtype"),
        ([0, -5], ValueError, f"t is -5: {STEP}"),
        (np.array([2**63], np.uint64), ValueError, "t reaches 9223372036854775808"),
        ([True], TypeError, "of dtype bool"),
    ],
)
def test_refused_steps(t, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        S(t)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lambda: gs.CosineDecay(0.1, 1e4), gs.CosineDecay(0.1, 10_000)),
        (lambda: gs.CosineDecay(0.1, np.float32(3)), gs.CosineDecay(0.1, 3)),
        (lambda: S.warmup(1e1, offset=0.0), S.warmup(10, offset=0)),
        (lambda: S.shift(-2.0), S.shift(-2)),
        (lambda: S.then(0.5, at=1e1), S.then(0.5, at=10)),
        (lambda: gs.Piecewise([1e1, 2e1], [3.0, 2.0, 1.0]), gs.Piecewise([10, 20], [3.0, 2.0, 1.0])),
    ],
)
def test_whole_floats_count_updates(given, expected):
    assert given() == expected
    assert given().to_json() == expected.to_json()


def test_whole_floats_count_samples_and_updates_of_a_run():
    assert gs.Units(steps_per_epoch=1e2)("3ep") == 300
    assert S.describe(1e1) == S.describe(10)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        *(
            (lambda steps=steps: gs.Linear(1, 0, steps), TypeError, "it counts updates, so it must be an integer")
            for steps in (1e4 + 0.5, float("inf"), float("nan"), "10", True, None)
        ),
        (lambda: gs.Constant(float("nan")), ValueError, "value is nan: it must be a finite number"),
        (lambda: gs.Constant("0.1"), TypeError, "value is '0.1', a str: it must be a number"),
        (lambda: gs.Constant(True), TypeError, "value is True, a bool: it must be a number"),
        (lambda: gs.Linear(1, float("inf"), 3), ValueError, "end is inf: it must be a finite number"),
        (lambda: gs.Linear(1, 0, -3), ValueError, "steps is -3: it counts updates and must be 1 or more"),
        (
            lambda: gs.Linear(1, 0, 3.5),
            TypeError,
            "steps is 3.5, a float: it counts updates, so it must be an integer",
        ),
        (
            lambda: gs.Linear(1, 0, 2**60),
            ValueError,
            "it must not exceed 2**53, the largest step that is exact",
        ),
        (
            lambda: gs.Linear(1, 0, 3, past="stop"),
            ValueError,
            "past is 'stop': it must be one of 'hold', 'repeat', 'mirror', 'extrapolate', 'error'",
        ),
        (lambda: gs.Linear(1, 0, 3, end_at=3), ValueError, "end_at is 3: it must be one of 'steps', 'last'"),
        (lambda: gs.PolynomialDecay(1, 3, power=0), ValueError, "power is 0: it must be above 0"),
        (
            lambda: gs.PolynomialDecay(1, 3, power=0.5, past="extrapolate"),
            ValueError,
            "use an integer power or another past",
        ),
        (
            lambda: gs.PolynomialDecay(1, 3, cycle=True, past="error"),
            ValueError,
            "with cycle=True the end never passes: leave past out",
        ),
        (lambda: gs.PolynomialDecay(1, 3, cycle=1), TypeError, "cycle is 1: it must be True or False"),
        (lambda: gs.ExponentialDecay(1, -0.5), ValueError, "rate is -0.5: it must be 0 or more"),
        (
            lambda: gs.InverseSqrtDecay(1, 2, shift=-2),
            ValueError,
            "shift is -2.0: it must be above -timescale = -2.0",
        ),
        (lambda: gs.InverseSqrtDecay(1, shift="x"), TypeError, "shift is 'x', a str: it must be a number"),
        (
            lambda: gs.MultiStep(1, [3, 3], 0.5),
            ValueError,
            "milestones is [3, 3]: it must increase, but milestones[1] = 3 follows 3",
        ),
        (
            lambda: gs.MultiStep(1, [-3], 0.5),
            ValueError,
            "milestones[0] is -3: it counts updates and must be 0 or more",
        ),
        (lambda: gs.MultiStep(1, 30, 0.5), TypeError, "milestones is 30: it must be a list"),
        (
            lambda: gs.Piecewise([3], [1.0]),
            ValueError,
            "there are 1 boundaries and 1 values: give one value more than boundaries",
        ),
        (
            lambda: gs.Piecewise([3], [1.0, float("nan")]),
            ValueError,
            "values[1] is nan: it must be a finite number",
        ),
        (lambda: S.clip(), ValueError, "clip has neither lo nor hi"),
        (lambda: S.clip(2, 1), ValueError, "lo is 2.0 and hi is 1.0: lo must not be above hi"),
        (lambda: S.then("x", at=3), TypeError, "'x', a str, is not a schedule: pass a schedule or a number"),
        (lambda: S.then(S, at=-1), ValueError, "at is -1: it counts updates and must be 0 or more"),
        (lambda: S.shift(0.5), TypeError, "n is 0.5, a float: it counts updates"),
        (lambda: S.warmup(-1), ValueError, "n is -1: it counts updates and must be 1 or more"),
        (
            lambda: S.warmup(3, kind="sine"),
            ValueError,
            "kind is 'sine': it must be one of 'linear', 'constant', 'log', 'cosine', '1-sqrt', 'exponential', 'power'",
        ),
        (
            lambda: S.warmup(3, mode="over"),
            ValueError,
            "mode is 'over': it must be one of 'prefix', 'overlay', 'scale'",
        ),
        (lambda: S.warmup(3, offset=4), ValueError, "offset is 4: it must not be above n = 3"),
        (lambda: gs.as_schedule(None), TypeError, "None, a NoneType, is not a schedule"),
        (lambda: gs.from_json("3"), TypeError, "is not a stored schedule: it must look like"),
        (
            lambda: gs.from_json('{"schedule":"Cosin"}'),
            ValueError,
            "there is no schedule 'Cosin': this version of gradstep has Constant, CosineDecay",
        ),
        (
            lambda: gs.from_json('{"schedule":"Constant","valu":1}'),
            ValueError,
            "Constant has no valu: its arguments are value",
        ),
        (
            lambda: gs.from_json('{"schedule":"Constant"}'),
            TypeError,
            "missing 1 required positional argument: 'value'",
        ),
        (lambda: S * "x", TypeError, "unsupported operand|can't multiply"),
    ],
)
def test_refused_arguments(make, kind, message):
    with pytest.raises(kind) as caught:
        make()
    assert any(each in str(caught.value) for each in (message.split("|")))


def test_numbers_become_constants():
    assert gs.as_schedule(0.1) == gs.Constant(0.1)
    assert gs.as_schedule(S) is S
