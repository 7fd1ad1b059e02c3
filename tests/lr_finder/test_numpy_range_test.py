"""The range test of an optimizer over NumPy arrays."""

import math
import random
from functools import partial

import numpy as np
import pytest

import gradstep
from gradstep import LRFinder
from gradstep.lr_finder.numpy import range_test

Finder = partial(LRFinder, 1e-4, 1.0, 15, diverge=math.inf)


def arrays():
    return [np.array([2.0, -3.0]), np.array([[0.5]], np.float32)]


def quadratic(v, w):
    return np.sum(v**2) / 2 + np.sum(w**2), [v.copy(), 2 * w]


def test_losses_are_those_after_each_update():
    finder = range_test(quadratic, arrays(), gradstep.SGD, finder=Finder())
    v, w = arrays()
    expected = []
    for rate in finder.rates:
        v, w = v - rate * v, w - rate * 2 * w
        expected.append(np.sum(v**2) / 2 + np.sum(w**2))
    np.testing.assert_allclose(finder.losses, expected, rtol=1e-5)  # float32, as one of the arrays is
    assert len(finder.losses) == 15


def test_any_optimizer():
    optimizer = partial(gradstep.SGD, momentum=0.5)
    finder = range_test(quadratic, arrays(), optimizer, finder=Finder())
    assert not np.array_equal(finder.losses, range_test(quadratic, arrays(), gradstep.SGD, finder=Finder()).losses)


def test_the_ramp_may_be_left_out():
    assert range_test(quadratic, arrays(), gradstep.Adam).updates == 100


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ValueError])
def test_nothing_is_left_of_it(error):
    calls = 0

    def noisy(*given):
        nonlocal calls
        calls += 1
        if error and calls == 7:
            raise error
        loss, gradients = quadratic(*given)
        return loss + 0.01 * np.random.standard_normal() + 0.01 * random.random(), gradients

    held = arrays()
    python, (_, words, *rest) = random.getstate(), np.random.get_state()
    if error:
        with pytest.raises(error):
            range_test(noisy, held, gradstep.Adam, finder=Finder())
    else:
        range_test(noisy, held, gradstep.Adam, finder=Finder())
    assert calls == (7 if error else 16)
    for found, expected in zip(held, arrays(), strict=True):
        assert found.tobytes() == expected.tobytes()
    assert random.getstate() == python
    _, after, *others = np.random.get_state()
    np.testing.assert_array_equal(after, words)
    assert others == rest


def test_an_array_that_cannot_be_updated_is_refused():
    with pytest.raises(TypeError, match="array 1 is a list, which can't be used in place"):
        range_test(quadratic, [np.ones(2), [1.0]], gradstep.SGD)
