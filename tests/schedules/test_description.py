"""A schedule in words, and what looks like a mistake in it."""

import pytest

import gradstep as gs


def warnings(s, steps=100):
    return [line.removeprefix("warning: ") for line in s.describe(steps).splitlines() if line.startswith("warning: ")]


def test_each_step_that_matters_has_a_line():
    s = gs.join([gs.Linear(0.1, 0.5, 5), gs.MultiStep(0.5, [10], 0.1), gs.CosineDecay(0.05, 20)], [5, 30])
    assert s.describe(60).splitlines() == [
        repr(s),
        " t  value",
        " 0  0.1          first update, Linear(init=0.1, end=0.5, steps=5) begins",
        " 5  0.5          MultiStep(init=0.5, milestones=[10], rate=0.1) begins, highest",
        "15  0.05         takes the new value",
        "30  0.05         CosineDecay(init=0.05, steps=20) begins",
        "50  0            end of CosineDecay, then past='hold', lowest",
        "59  0            last update",
        "warning: the last 10 updates are wasted at 0; end the schedule 10 updates later (a warmup does that with "
        "within=60) or above 0",
    ]


@pytest.mark.parametrize(
    ("s", "marks"),
    [
        (gs.WSD(1.0, 10, 30, 20), [40, 60]),
        (gs.PiecewiseLinear([(2, 0.1), (5, 0.2), (9, 0.3), (20, 0.0)]), [5, 9, 20]),
        (gs.CosineDecay(1.0, 50), [50]),
        (gs.CosineDecay(1.0, 50, end_at="last"), [49]),
        (gs.CosineDecay(1.0, 50).warmup(10), [9, 59]),
        (gs.CosineDecay(1.0, 50).warmup(10, offset=0), [10, 60]),
        (gs.CosineDecay(1.0, 50).warmup(10, mode="overlay"), [9, 50]),
        (gs.CosineDecay(1.0, 50).warmup(10, mode="scale", kind="exponential"), [50]),
        (gs.CosineDecay(1.0, 50).shift(-20), [30]),
        (gs.CosineDecay(1.0, 50).shift(-60), []),
        (gs.CosineDecay(1.0, 5).stretch(2.5), [13]),
        (gs.Piecewise([3, 9], [3.0, 2.0, 1.0]).repeat(7), [3, 7]),
        (0.5 * gs.Linear(1.0, 0.0, 20) + gs.Linear(1.0, 0.0, 30) ** 2, [20, 30]),
        (gs.Linear(1.0, 0.0, 20).then(gs.CosineDecay(1.0, 30), at=7), [0, 7, 37]),
    ],
    ids=repr,
)
def test_landmarks_move_with_their_schedule(s, marks):
    assert sorted(mark.t for mark in s.landmarks()) == marks


@pytest.mark.parametrize(
    "s",
    [
        gs.Constant(0.1),
        gs.CosineDecay(0.1, 91).warmup(10),
        gs.CosineDecay(0.1, 100).warmup(10, kind="1-sqrt", within=100),
        gs.CosineDecay(0.1, 96).warmup(5, kind="power", power=3),
        gs.Linear(0.1, 1.0, 10).then(gs.Linear(1.0, 0.0, 90), at=10),
        gs.MultiStep(0.1, [30, 60], 0.1),
        gs.Constant(0.1).warmup(200),
    ],
    ids=repr,
)
def test_good_schedules_have_no_warnings(s):
    assert warnings(s) == []


@pytest.mark.parametrize(
    ("s", "expected"),
    [
        (
            gs.Constant(0.1).warmup(10, offset=0),
            ["the first update is wasted, its value is 0; for a warmup leave offset=0 out"],
        ),
        (
            gs.CosineDecay(0.1, 90).warmup(10),
            ["the last update is wasted, its value is 0; end the schedule 1 update later (a warmup does that with "],
        ),
        (
            gs.Linear(0.1, 0.0, 90),
            ["the last 10 updates are wasted at 0; end the schedule 10 updates later (a warmup does that with within"],
        ),
        (gs.Linear(0.1, 0.0, 100, end_at="last"), ["the last update is wasted, its value is 0"]),
        (
            gs.Linear(1.0, 0.0, 80, past="extrapolate"),
            ["the value is negative from t = 81 on, where it is -0.0125; bound it with clip(lo=0)"],
        ),
        (
            gs.Linear(1.0, 0.0, 120, past="extrapolate"),
            ["the value is negative from t = 121 on, where it is -0.00833333; bound it with clip(lo=0)"],
        ),
        (
            gs.OneCycle(1.0, 100, anneal="linear", end_at="last", past="extrapolate"),
            ["the value is negative from t = 100 on, where it is -0.0142"],
        ),
        (
            gs.CosineDecay(1.0, 100).warmup(20, mode="overlay", offset=0).clip(lo=0.001),
            ["the value jumps from 0.95 to 0.904508 at t = 20, where two parts meet"],
        ),
        (
            gs.Linear(0.5, 1.0, 10).then(0.9, at=40),
            ["the value jumps from 1 to 0.9 at t = 40, where two parts meet"],
        ),
        (
            gs.CosineDecay(1.0, 100, past="mirror"),
            ["after the last update the value rises again, up to 1 at t = 200"],
        ),
        (
            gs.Linear(1.0, 0.2, 100, past="error"),
            ["a longer run fails: the schedule has no value at t = 101: with past='error' it ends before"],
        ),
    ],
    ids=repr,
)
def test_warnings(s, expected):
    found = warnings(s)
    assert len(found) == len(expected)
    assert all(each.startswith(start) for each, start in zip(found, expected, strict=True))


def test_a_run_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="no value at t = 81: with past='error' it ends before"):
        gs.Linear(1.0, 0.2, 80, past="error").describe(100)
    with pytest.raises(ValueError, match="steps is 0: it counts updates and must be 1 or more"):
        gs.Constant(1.0).describe(0)
