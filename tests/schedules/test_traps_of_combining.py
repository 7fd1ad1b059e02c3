"""Known mistakes in combining schedules, each by its name in the list of traps."""

import numpy as np
import pytest

import gradstep as gs
from support.schedule_reference import exact
from support.tolerances import FEW_ULP, OTHER_ALGORITHM, TWO_ULP


def test_T1_a_quotient_does_not_compound():
    s = 0.1 / (1 + 0.1 * gs.Linear(0.0, 1.0, 1, past="extrapolate"))
    assert [s(19) for _ in range(20)] == [s(range(20))[-1]] * 20 == [pytest.approx(0.1 / 2.9, rel=FEW_ULP)] * 20


def test_T2_compositions_are_closed_forms():
    decay = gs.ExponentialDecay(0.1, 0.99999)
    s = (0.5 * decay).warmup(1000).then(0.25 * decay, at=70_000)
    for t, value in ((60_000, exact(decay, 60_000 - 999) / 2), (130_000, exact(decay, 60_000) / 4)):
        assert abs(s(t) / value - 1) < OTHER_ALGORITHM


@pytest.mark.parametrize("inner", [3, 5])
def test_T4_sequences_nest_and_may_start_at_0(inner):
    first = gs.Constant(1).then(gs.Constant(2), at=inner)
    nested = first.then(gs.Constant(3).then(gs.Constant(4), at=2), at=7)
    assert list(nested(range(11))) == [1] * inner + [2] * (7 - inner) + [3, 3, 4, 4]
    np.testing.assert_array_equal(gs.Constant(1).then(first, at=0)(range(9)), first(range(9)))


def test_T4_joins_nest_anywhere_and_begin_exactly_at_their_milestones():
    a, b, c = (gs.Linear(k, k + 1, 4, past="extrapolate") for k in (10, 20, 30))
    inner = gs.join([a, b], [3])
    t = np.arange(12)
    expected_inner = np.where(t < 3, a(t), b(np.maximum(t - 3, 0)))
    np.testing.assert_array_equal(gs.join([inner, c], [7])(t), np.where(t < 7, expected_inner, c(np.maximum(t - 7, 0))))
    expected = np.where(t < 5, c(t), inner(np.maximum(t - 5, 0)))
    np.testing.assert_array_equal(gs.join([c, inner], [5])(t), expected)


def test_T4_a_resumed_join_goes_on():
    s = gs.join([0.01, gs.ExponentialDecay(0.1, 0.9)], [2])
    assert s([0, 1, 2, 3]).tolist() == pytest.approx([0.01, 0.01, 0.1, 0.09], rel=FEW_ULP)
    assert s([4, 5, 6]).tolist() == pytest.approx([0.081, 0.0729, 0.06561], rel=FEW_ULP)
    three = gs.join([gs.Linear(0.0, 0.1, 5), 0.1, gs.CosineDecay(0.1, 20)], [5, 12])
    whole = three(range(40))
    for resumed in range(40):
        np.testing.assert_array_equal(gs.from_json(three.to_json())(range(resumed, 40)), whole[resumed:])
        np.testing.assert_array_equal(three.shift(-resumed)(range(40 - resumed)), whole[resumed:])


@pytest.mark.parametrize("milestones", [[0, 4], [0, 0], [3, 3], [0, 2**53]])
def test_T4_parts_of_no_steps_are_skipped(milestones):
    s = gs.join([1.0, gs.Linear(2.0, 3.0, 100), 4.0], milestones)
    first, second = milestones
    expected = [1.0 if t < first else 2 + (t - first) / 100 if t < second else 4.0 for t in range(9)]
    np.testing.assert_allclose(s(range(9)), expected, rtol=TWO_ULP)


def test_T11_modes_of_warmup_differ_as_documented():
    s = gs.CosineDecay(1.0, 100)
    prefix, overlay, scale = (s.warmup(20, mode=mode, offset=0) for mode in ("prefix", "overlay", "scale"))
    t = np.arange(130)
    way = np.minimum(t / 20, 1)
    np.testing.assert_array_equal(prefix(t), np.where(t < 20, way, s(np.maximum(t - 20, 0))))
    np.testing.assert_array_equal(overlay(t), np.where(t < 20, way, s(t)))
    np.testing.assert_allclose(scale(t), way * s(t), rtol=TWO_ULP)


def test_T11_every_reading_of_a_decay_after_a_warmup_can_be_said():
    """With N updates of which W warm up: the decay begins after W (t/W), after W + 1 (NeMo), or at W - 1."""
    t, W, N = np.arange(120), 10, 100
    begins_at_w = gs.CosineDecay(1.0, N - W).warmup(W, offset=0)
    np.testing.assert_array_equal(begins_at_w(t[:W]), t[:W] / W)
    assert (begins_at_w(W), begins_at_w(N)) == (1, 0)
    nemo = gs.CosineDecay(1.0, N - W).warmup(W + 1)
    np.testing.assert_array_equal(nemo(t[: W + 1]), (t[: W + 1] + 1) / (W + 1))
    assert (nemo(W), nemo(N)) == (1, 0)
    peak_twice = gs.join([gs.Constant(1.0).warmup(W), gs.CosineDecay(1.0, N - W)], [W])
    np.testing.assert_array_equal(peak_twice(t[:W]), (t[:W] + 1) / W)
    assert (peak_twice(W - 1), peak_twice(W), peak_twice(N)) == (1, 1, 0)


def test_T12_the_first_update_is_not_wasted():
    s = gs.Constant(1.0).warmup(4)
    assert list(s(range(5))) == [0.25, 0.5, 0.75, 1, 1]


@pytest.mark.parametrize("kind", ["linear", "log", "cosine", "1-sqrt", "exponential", "power"])
def test_T12_no_kind_of_warmup_wastes_the_first_update(kind):
    options = {"power": 2} if kind == "power" else {}
    mode = "scale" if kind == "exponential" else "prefix"
    assert gs.Constant(1.0).warmup(8, kind=kind, mode=mode, **options)(0) > 0
    assert gs.Constant(1.0).warmup(8, kind=kind, mode=mode, offset=0, **options)(0) == 0
