"""Explore: lower at a find, higher when stuck."""

import math
import random

import numpy as np
import pytest

import gradstep
from gradstep import Explore


def scales(explore, metrics):
    return [explore.update(metric) for metric in metrics]


def expected(metrics, found, stuck, patience, threshold, floor, ceiling):
    """The rule for a metric that is to rise, with an absolute threshold."""
    best, waited, scale, result = metrics[0], 0, 1.0, [1.0]
    for metric in metrics[1:]:
        if metric > best + threshold:
            best, waited, scale = metric, 0, scale * found
        else:
            waited += 1
            if waited == patience + 1:
                waited, scale = 0, scale * stuck
        scale = min(max(scale, floor), ceiling)
        result.append(scale)
    return result


@pytest.mark.parametrize("seed", range(50))
def test_the_rule(seed):
    rng = random.Random(seed)
    settings = {
        "found": rng.choice((0.5, 0.75, 1.25)),
        "stuck": rng.choice((1.5, 2.0, 0.5)),
        "patience": rng.choice((0, 1, 4)),
        "threshold": rng.choice((0.0, 0.25)),
        "floor": 0.125,
        "ceiling": 4.0,
    }
    metrics = list(np.cumsum([rng.choice((-1.0, 0.0, 0.25, 1.0)) for _ in range(60)]))
    explore = Explore(mode="max", threshold_mode="abs", **settings)
    assert scales(explore, metrics) == expected(metrics, **settings)
    down = Explore(mode="min", threshold_mode="abs", **settings)
    assert scales(down, [-metric for metric in metrics]) == expected(metrics, **settings)


def test_a_nan_is_no_find_and_no_baseline():
    explore = Explore(found=0.5, stuck=2.0, patience=1)
    assert scales(explore, [math.nan, 1.0, math.nan, math.nan, 0.5]) == [1.0, 1.0, 1.0, 2.0, 1.0]


def test_it_goes_on_where_it_was_saved_and_moves_an_optimizer():
    optimizer = gradstep.SGD([np.zeros(1)], lr=0.1)
    metrics = [3.0, 2.0, 2.0, 2.0, 1.0]
    explore = Explore(found=0.25, stuck=2.0, patience=1)
    found = []
    for metric in metrics:
        resumed = Explore(found=0.25, stuck=2.0, patience=1)
        resumed.load_state_dict(explore.state_dict())
        explore = resumed
        found.append(explore.step(metric, optimizer))
    assert found == [1.0, 0.25, 0.25, 0.5, 0.125]
    assert optimizer.param_groups[0]["gradstep_scale"] == 0.125


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"found": 0.0}, "found is 0.0: it must be above 0"),
        ({"stuck": -2.0}, "stuck is -2.0: it must be above 0"),
        ({"patience": -1}, "patience is -1: it counts reports"),
        ({"floor": 2.0}, "floor is 2.0 and ceiling 100.0: the scale starts at 1, so floor must be from 0 to 1"),
        ({"ceiling": 0.5}, "floor is 0.01 and ceiling 0.5"),
    ],
)
def test_refused_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Explore(**arguments)
