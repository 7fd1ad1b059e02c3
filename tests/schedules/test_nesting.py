"""Schedules combined at random, several levels deep: still values, and the same bits however they are asked."""

import random

import numpy as np
import pytest

import gradstep as gs
from gradstep.schedules import difference
from support.schedule_reference import LEAVES

T = np.concatenate([np.arange(130), [1000, 1003]])  # at a million some have grown to infinity


def combined(draw: random.Random, depth: int) -> gs.Schedule:
    if depth == 0:
        return draw.choice(LEAVES)
    a, b = (combined(draw, draw.randrange(depth)) for _ in range(2))
    n, m = sorted(draw.sample(range(1, 40), 2))
    share, yes = draw.random(), draw.random() < 0.5
    kind = draw.choice(["linear", "constant", "log", "cosine", "1-sqrt"])
    mode = draw.choice(["prefix", "overlay", "scale"])
    return draw.choice(
        [
            lambda: a * b,
            lambda: 1 - a,
            lambda: a / (1 + b * b),
            lambda: -a + share,
            lambda: (a * a + share) ** 0.75,
            lambda: gs.minimum(a, gs.maximum(share, b)),
            lambda: a.clip(-1, share),
            lambda: gs.join([a, b, a], [n, m]),
            lambda: a.shift(n - m),
            lambda: a.stretch(share + 0.1, staircase=yes),
            lambda: b.repeat(m),
            lambda: a.smooth(share, m),
            lambda: gs.tied(a.clip(0, 1) + gs.Linear(0.0, 2.0, n), 0.8, 0.9, m, invert=yes),
            lambda: a.warmup(m, share, kind, mode, offset=n),
        ]
    )()


@pytest.mark.parametrize("seed", range(200))
def test_combinations_are_values(seed):
    s = combined(random.Random(seed), depth=4)
    values = s(T)
    assert [s(t) for t in reversed(T.tolist())] == values.tolist()[::-1]
    stored = gs.from_json(s.to_json())
    assert eval(repr(s), vars(gs)) == stored == s
    assert difference(stored, s) == ""
    np.testing.assert_array_equal(stored(T), values)
    assert s.describe(100).startswith(repr(s))
