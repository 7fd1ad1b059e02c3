"""Arrays of steps that are long enough for several threads."""

import numpy as np
import pytest

import gradstep


def test_many_steps_have_the_same_bits_on_any_number_of_threads():
    s, t = gradstep.CosineDecay(0.3, 70_001, end=0.1).warmup(7), np.arange(100_003)
    gradstep.set_num_threads(1)
    alone = s(t)
    gradstep.set_num_threads(3)
    np.testing.assert_array_equal(s(t).view(np.uint64), alone.view(np.uint64))


def test_the_first_of_many_steps_that_has_no_value_is_named():
    s = gradstep.Linear(1.0, 0.0, 60_000, past="error")
    with pytest.raises(ValueError, match="the schedule has no value at t = 60001: with past='error'"):
        s(np.arange(100_000))
