"""Warmup: the ways it goes, its modes, and the exact first and last step."""

import numpy as np
import pytest

import gradstep as gs
from support.tolerances import FEW_ULP, OTHER_ALGORITHM, TWO_ULP

A, B = gs.CosineDecay(0.3, 20, end=0.01), gs.Linear(0.1, 0.7, 13)
T = np.arange(60)


@pytest.mark.parametrize("offset", [0, 1, 2, 5])
@pytest.mark.parametrize("start", [0.0, 0.05, 2.0])
def test_prefix_reaches_the_peak_once(offset, start):
    s = A.warmup(5, start=start, offset=offset)
    complete = 5 - offset
    way = [start + (0.3 - start) * (t + offset) / 5 for t in range(complete)]
    np.testing.assert_allclose(s(T[:complete]), way, rtol=TWO_ULP)
    np.testing.assert_array_equal(s(T[complete:]), A(T[complete:] - complete))
    assert s(complete) == 0.3
    assert np.count_nonzero(s(T) == 0.3) == 1


def test_scale_aims_at_the_curve():
    s = A.warmup(5, start=0.05, mode="scale")
    way = np.minimum((T + 1) / 5, 1)
    np.testing.assert_allclose(s(T), 0.05 + (A(T) - 0.05) * way, rtol=FEW_ULP)
    np.testing.assert_array_equal(s(T[4:]), A(T[4:]))


def test_overlay_jumps_where_the_curve_has_decayed():
    s = B.warmup(5, mode="overlay")
    np.testing.assert_allclose(s(T[:4]), 0.1 * (T[:4] + 1) / 5, rtol=TWO_ULP)
    np.testing.assert_array_equal(s(T[4:]), B(T[4:]))


SHAPES = {
    "linear": lambda p, n: p,
    "constant": lambda p, n: np.where(p < 1, 0, 1),
    "log": lambda p, n: np.log(1 + n * p) / np.log(1 + n),
    "cosine": lambda p, n: (1 - np.cos(np.pi * p)) / 2,
    "1-sqrt": lambda p, n: 1 - np.sqrt(1 - p),
    "power": lambda p, n: p**2.5,
}


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("offset", [0, 1, 3])
@pytest.mark.parametrize("mode", ["prefix", "overlay", "scale"])
def test_kinds_have_their_shape(kind, offset, mode):
    n, start = 9, 0.05
    s = A.warmup(n, start, kind, mode, offset, power=2.5 if kind == "power" else 1)
    complete = n - offset
    goal = A(T) if mode == "scale" else A(0)
    way = SHAPES[kind](np.minimum((T + offset) / n, 1), n)
    # 1 - cos and 1 - sqrt lose the digits that 1 has before a small result: absolute, of the peak.
    np.testing.assert_allclose(s(T[:complete]), (start + (goal - start) * way)[:complete], rtol=TWO_ULP, atol=2e-16)
    np.testing.assert_array_equal(s(T[complete:]), A(T[complete:] - (complete if mode == "prefix" else 0)))


def test_an_exponential_warmup_has_a_time_constant():
    s = A.warmup(9, 0.05, "exponential", "scale", offset=2)
    np.testing.assert_allclose(s(T), 0.05 + (A(T) - 0.05) * -np.expm1(-(T + 2) / 9), rtol=FEW_ULP)
    assert A.warmup(9, kind="exponential", mode="scale")(1000) == A(1000)


def test_log_warmup_reaches_deepspeeds():
    """ln(t + 1) / ln(W) for t < W: the way is complete at W - 1, and the first update uses 0."""
    W = 12
    s = gs.Constant(0.3).warmup(W - 1, kind="log", offset=0)
    np.testing.assert_allclose(s(T[:W]), 0.3 * np.log(T[:W] + 1) / np.log(W), rtol=FEW_ULP)
    assert (s(0), s(W - 2) < 0.3, s(W - 1)) == (0, True, 0.3)


def test_untuned_warmup_is_that_of_the_paper():
    """Ma and Yarats 2019, equation 7: min(1, (1 - beta2) / 2 * t), t counted from 1."""
    for beta2 in (0.9, 0.99, 0.999, 0.995):
        s = gs.Constant(1.0).warmup(gs.untuned_warmup(beta2), mode="scale")
        t = np.arange(1, 3000)
        np.testing.assert_allclose(s(t - 1), np.minimum(1, (1 - beta2) / 2 * t), rtol=OTHER_ALGORITHM)


@pytest.mark.parametrize("offset", [0, 1, 3, 5])
@pytest.mark.parametrize("kind", ["linear", "cosine", "log"])
@pytest.mark.parametrize("end_at", ["steps", "last"])
def test_within_ends_where_the_run_does(offset, kind, end_at):
    total, complete = 40, 5 - offset
    s = gs.CosineDecay(0.3, 7, end=0.01, end_at=end_at).warmup(5, kind=kind, offset=offset, within=total)
    decay = gs.CosineDecay(0.3, total - complete, end=0.01, end_at=end_at)
    assert s == decay.warmup(5, kind=kind, offset=offset)
    end = total - (end_at == "last")
    assert s(end) == 0.01 < s(end - 1)


def test_within_without_a_warmup():
    assert gs.Linear(1.0, 0.0, 7).warmup(0, within=40) == gs.Linear(1.0, 0.0, 40)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: A.warmup(5, within=4),
            ValueError,
            "within is 4: it counts the warmup too and must be above its 4 upd",
        ),
        (lambda: A.warmup(5, within=9.5), TypeError, "within is 9.5, a float: it counts updates"),
        (lambda: A.warmup(5, mode="scale", within=9), ValueError, "mode is 'scale', in which the schedule runs from t"),
        (lambda: (A * 2).warmup(5, within=9), ValueError, r"a Product has no single end to move: call warmup\(n, wit"),
        (lambda: A.warmup(5, offset="1", within=9), TypeError, "offset is '1', a str: it counts updates"),
    ],
)
def test_refused_within(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
