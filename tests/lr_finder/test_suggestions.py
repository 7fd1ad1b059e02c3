"""Suggestions of range tests with a known answer."""

import math

import numpy as np
import pytest

from gradstep import LRFinder
from support.u_curves import FALL, decades, finder_after, valley_loss

# Suggestions are read off a grid of 256 points, here over 8 decades: 0.03 apart.
GRID = 8 / 255
NAMES = ("steepest", "valley", "tenth_of_minimum")


def test_without_noise():
    suggestion = finder_after().suggestion()
    assert decades(suggestion.steepest, FALL) <= GRID
    assert decades(suggestion.valley, FALL) <= 2 * GRID
    x = np.linspace(-7, 0, 10_000)
    # the bottom is wide and flat, so that the smoothing over 0.3 decades moves it by about as much
    assert decades(suggestion.tenth_of_minimum, x[np.argmin(valley_loss(x))] - 1) < 0.3


@pytest.mark.parametrize("seed", range(6))
def test_noise(seed):
    suggestion = finder_after(noise=0.1, seed=seed).suggestion()
    # over 40 seeds the standard deviation was 0.03 decades for the steepest, 0.04 for the valley
    assert decades(suggestion.steepest, FALL) < 0.12
    assert decades(suggestion.valley, FALL) < 0.2
    for name, rate in suggestion.rates().items():
        low, high = suggestion.spread[name]
        assert low <= rate <= high


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("updates", [60, 150, 400])
@pytest.mark.parametrize(("low", "high"), [(1e-7, 10.0), (1e-5, 3.0)])
def test_steepest_does_not_depend_on_the_points_of_the_ramp(seed, updates, low, high):
    suggestion = finder_after(noise=0.02, seed=seed, updates=updates, low=low, high=high).suggestion()
    assert decades(suggestion.steepest, FALL) < 2 * GRID  # the grid and the noise


def test_steepest_of_a_linear_ramp():
    def loss(x):
        return valley_loss(x, fall=-0.7, rise=0.9)

    even = finder_after(loss, low=0.01, high=10, updates=400).suggestion()
    linear = finder_after(loss, low=0.01, high=10, updates=400, ramp="linear").suggestion()
    # steepest in the rate itself instead of its logarithm would be at 0.11, half a decade below; a linear ramp has few
    # points there, 0.1 decades apart
    assert decades(even.steepest, -0.7) < 2 * GRID
    assert decades(linear.steepest, -0.7) < 0.12


def test_what_a_linear_ramp_leapt_over_is_not_suggested():
    assert finder_after(noise=0.02, low=1e-6, high=1, updates=200, ramp="linear").suggestion().steepest is None


@pytest.mark.parametrize("tail", [math.nan, math.inf])
def test_a_tail_that_is_not_finite_is_dropped(tail):
    def loss(x):
        return valley_loss(x, rise=math.inf) if x < -1 else tail

    finder = finder_after(loss, noise=0.05)
    assert finder.stopped == "not finite"
    suggestion = finder.suggestion()
    assert decades(suggestion.steepest, FALL) < 0.1  # noise
    # without the bottom's other side it is anywhere on the flat between the fall and the tail
    assert -3.5 < np.log10(suggestion.tenth_of_minimum) <= -2


def test_divergence_does_not_reach_its_neighbours():
    def loss(x):
        return valley_loss(x, rise=math.inf) if x < -0.8 else 1e30

    finder = finder_after(loss, noise=0.02)
    assert finder.losses[-1] > 1e29
    assert decades(finder.suggestion().steepest, FALL) < 2 * GRID


@pytest.mark.parametrize(
    "loss",
    [lambda x: 1.0, lambda x: 2 + x / 8, lambda x: 0.0],
    ids=["flat", "rising", "zero"],
)
def test_no_descent_suggests_nothing(loss):
    suggestion = finder_after(loss).suggestion()
    assert suggestion.rates() == dict.fromkeys(NAMES)
    assert suggestion.spread == dict.fromkeys(NAMES)


def test_noise_alone_rarely_suggests_anything():
    found = [finder_after(lambda x: 1.0, noise=0.1, seed=seed).suggestion().steepest for seed in range(50)]
    assert sum(rate is not None for rate in found) <= 3  # 1.8 % of 500 others did


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_few_points_suggest_nothing(count):
    finder = LRFinder()
    for t, _ in enumerate(finder):
        finder.report(10.0 - t if t < count else math.nan)
    assert finder.suggestion().rates() == dict.fromkeys(NAMES)


def test_a_ramp_that_ends_in_the_descent_has_no_minimum():
    suggestion = finder_after(high=1e-3).suggestion()
    assert suggestion.tenth_of_minimum is None
    assert suggestion.spread["tenth_of_minimum"] is None
    assert decades(suggestion.steepest, FALL) < 0.1  # a slope at the end of the curve, of half the points


def test_spread_tells_noise():
    def width(noise):
        spreads = [finder_after(noise=noise, seed=seed).suggestion().spread["steepest"] for seed in range(8)]
        return np.mean([np.log10(high / low) for low, high in spreads])

    assert width(0.02) < 0.05 < 0.2 < width(0.4)


def test_suggestions_have_three_digits():
    for rate in finder_after(noise=0.1).suggestion().rates().values():
        assert rate == float(f"{rate:.3g}")
