"""The ramp, the averaged loss, and when a range test ends."""

import math
import warnings

import numpy as np
import pytest

from gradstep import ExponentialDecay, Linear, LRFinder
from support.tolerances import FEW_ULP, OTHER_ALGORITHM, TENS_OF_ULP


def feed(finder, losses):
    for _, loss in zip(finder, losses, strict=False):
        finder.report(loss)
    return finder


def averages(rates, losses, smoothing):
    """Each mean of the losses so far, from its formula."""
    x = np.log10(rates)
    found = []
    for k in range(len(x)):
        weights = np.exp(-(x[k] - x[: k + 1]) / smoothing)
        found.append(np.sum(weights * losses[: k + 1]) / np.sum(weights))
    return np.array(found)


def test_exponential_ramp():
    finder = LRFinder(1e-5, 2.0, 31)
    assert finder.ramp == ExponentialDecay(1e-5, 2.0 / 1e-5, 30)
    feed(finder, np.ones(31))
    np.testing.assert_allclose(finder.rates, 1e-5 * 2e5 ** (np.arange(31) / 30), rtol=TENS_OF_ULP)


def test_linear_ramp():
    finder = LRFinder(0.25, 2.0, 15, ramp="linear")
    assert finder.ramp == Linear(0.25, 2.0, 14)
    np.testing.assert_array_equal(feed(finder, np.ones(15)).rates, 0.25 + 0.125 * np.arange(15))


@pytest.mark.parametrize("ramp", ["exponential", "linear"])
def test_averages_are_without_bias(ramp):
    losses = 2 + np.random.default_rng(0).standard_normal(40)
    finder = feed(LRFinder(1e-3, 3.0, 40, ramp=ramp, smoothing=0.7, diverge=math.inf), losses)
    np.testing.assert_array_equal(finder.losses, losses)
    np.testing.assert_allclose(finder.smoothed, averages(finder.rates, losses, 0.7), rtol=OTHER_ALGORITHM)
    assert finder.smoothed[0] == losses[0]


def test_averages_do_not_depend_on_the_number_of_updates():
    def at_the_end(updates):
        finder = LRFinder(1e-4, 1.0, updates, smoothing=0.5)
        return feed(finder, 2 - np.linspace(0, 1, updates)).smoothed[-1]

    # the sum over points nears the integral over decades, with an error of one point's share
    assert at_the_end(400) == pytest.approx(at_the_end(1600), abs=2e-3)


@pytest.mark.parametrize("level", [1.0, -1.0])
@pytest.mark.parametrize("diverge", [2.0, 5.0])
def test_stops_on_divergence(level, diverge):
    losses = np.concatenate([np.full(20, level), level + 0.5 * np.arange(80)])
    finder = feed(LRFinder(updates=100, smoothing=0.4, diverge=diverge), losses)
    assert finder.stopped == "diverged"
    every = LRFinder(updates=100, diverge=math.inf)
    expected = averages(feed(every, losses).rates, losses, 0.4)
    assert len(finder.rates) == 1 + np.argmax(expected > level + (diverge - 1) * abs(level))


def test_infinite_divergence_never_stops():
    finder = feed(LRFinder(updates=20, diverge=math.inf), 10.0 ** np.arange(20))
    assert finder.stopped is None
    assert len(finder.losses) == 20


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("good", [0, 7])
def test_stops_on_what_is_not_finite_and_drops_it(bad, good):
    finder = LRFinder(updates=30)
    turns = 0
    for _ in finder:
        turns += 1
        finder.report(1.0 if turns <= good else bad)
    assert (turns, finder.stopped) == (good + 1, "not finite")
    assert len(finder.rates) == len(finder.losses) == len(finder.smoothed) == good


def test_a_new_loop_is_a_new_test():
    finder = feed(LRFinder(updates=20), [1.0, math.nan])
    feed(finder, np.full(20, 3.0))
    assert finder.stopped is None
    np.testing.assert_allclose(finder.smoothed, 3.0, rtol=FEW_ULP)


def test_kinds_of_numbers():
    torch = pytest.importorskip("torch")
    kinds = [1, np.float32(1), np.array(1.0), np.array([1.0]), torch.tensor(1.0, requires_grad=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(feed(LRFinder(), kinds).losses) == [1.0] * len(kinds)


@pytest.mark.parametrize("loss", ["1", None, True, [1.0]])
def test_refused_losses(loss):
    finder = LRFinder()
    next(iter(finder))
    with pytest.raises(TypeError, match=r"Invalid loss: .*: pass a number"):
        finder.report(loss)


def test_refused_loops():
    finder = LRFinder(low=1e-3)
    with pytest.raises(RuntimeError, match=r"no rate to report for: call report\(loss\) once in each iteration"):
        finder.report(1.0)
    with pytest.raises(
        RuntimeError, match=r"there is no loss for the rate 0.001: call report\(loss\) in each iteration"
    ):
        for _ in finder:
            pass
    for _ in finder:
        finder.report(1.0)
        with pytest.raises(RuntimeError, match="no rate to report for"):
            finder.report(1.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"low": 0.0}, "low is 0.0: it must be above 0"),
        ({"low": 1e-3, "high": 1e-3}, "high is 0.001: it must be above low = 0.001, since the rate rises"),
        ({"updates": 9}, "updates is 9: it must be 10 or more, to give a readable curve"),
        ({"updates": 20.5}, "updates is 20.5, a float: .* must be an integer"),
        ({"ramp": "cosine"}, "ramp is 'cosine': it must be one of 'exponential', 'linear'"),
        ({"smoothing": 0}, "smoothing is 0: it must be above 0"),
        ({"diverge": 1.0}, "diverge is 1.0: it must be above 1; math.inf completes the ramp"),
        ({"diverge": math.nan}, "diverge is nan: it must be above 1"),
    ],
)
def test_refused_options(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        LRFinder(**given)
