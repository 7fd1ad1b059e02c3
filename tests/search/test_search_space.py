"""Spaces and the candidates drawn from them."""

import numpy as np
import pytest

from gradstep import Constant, Linear
from gradstep.search import Choice, LogRange, Range, sample
from support.tolerances import TENS_OF_ULP

SHAPES = [Constant(1), Linear(1, 0, 10)]
SPACE = {"lr": LogRange(1e-4, 1), "momentum": Range(0.5, 0.9), "shape": SHAPES, "kind": Choice("abc"), "steps": 10}


def test_values_follow_their_formulas():
    assert Range(-1, 3).at(0.25) == 0
    assert LogRange(1e-4, 1).at(0.25) == pytest.approx(1e-3, rel=TENS_OF_ULP)
    assert [Choice("abc").at(u) for u in (0, 0.3, 0.4, 0.7, 0.999)] == list("aabcc")


@pytest.mark.parametrize("n", [1, 6, 12])
def test_candidates_are_even(n):
    candidates = sample(SPACE, n, seed=3)
    assert len(candidates) == n
    assert all(list(candidate) == list(SPACE) for candidate in candidates)
    strata = {
        "lr": [(np.log10(c["lr"]) + 4) / 4 for c in candidates],
        "momentum": [(c["momentum"] - 0.5) / 0.4 for c in candidates],
    }
    for values in strata.values():
        assert sorted(int(n * value) for value in values) == list(range(n))
    if n > 1:
        assert [sum(c["shape"] == shape for c in candidates) for shape in SHAPES] == [n // 2, n // 2]
    assert {c["steps"] for c in candidates} == {10}


def test_candidates_are_those_of_the_seed():
    assert sample(SPACE, 5, seed=1) == sample(SPACE, 5, seed=1)
    assert sample(SPACE, 5, seed=1) != sample(SPACE, 5, seed=2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Range(1, 1), "high is 1: it must be above low = 1"),
        (lambda: LogRange(0, 1), "low is 0: it must be above 0"),
        (lambda: LogRange(0.1, float("inf")), "high is inf: it must be a finite number"),
        (lambda: Choice([]), "a Choice needs values"),
        (lambda: sample({"lr": []}, 3), "a Choice needs values"),
        (lambda: sample({}, 3), r"the space is \{\}: it must be a dict such as"),
        (lambda: sample([0.1], 3), r"the space is \[0.1\]: it must be a dict such as"),
        (lambda: sample(SPACE, 0), "n is 0: it counts"),
    ],
)
def test_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
