"""Errors of combinations that are impossible."""

import re

import pytest

import gradstep as gs
from support.compositions import S


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: S.warmup(3, kind="cosine", power=2),
            ValueError,
            "power is 2.0, but kind is 'cosine': only kind='power' has a power",
        ),
        (
            lambda: S.warmup(3, kind="exponential"),
            ValueError,
            "mode is 'prefix', but an exponential warmup never quite ends, so that no schedule can follow it: "
            "use mode='scale' or another kind",
        ),
        (lambda: gs.untuned_warmup(1.0), ValueError, "beta2 is 1.0: it must be 0 or more and below 1"),
        (lambda: gs.minimum(S, "x"), TypeError, "b: 'x', a str, is not a schedule"),
        (lambda: gs.maximum(None, S), TypeError, "a: None, a NoneType, is not a schedule"),
        (lambda: S ** float("inf"), ValueError, "exponent is inf: it must be a finite number"),
        (lambda: S**S, TypeError, "unsupported operand"),
        (lambda: 2**S, TypeError, "unsupported operand"),
        (lambda: S / "x", TypeError, "unsupported operand"),
        (lambda: S.stretch(0), ValueError, "k is 0: it must be above 0"),
        (lambda: S.stretch(2, staircase=1), TypeError, "staircase is 1: it must be True or False"),
        (lambda: S.repeat(0), ValueError, "n is 0: it counts updates and must be 1 or more"),
        (lambda: S.smooth(1.0, 5), ValueError, "momentum is 1.0: it must be 0 or more and below 1"),
        (lambda: S.smooth(0.9, 0), ValueError, "steps is 0: it counts updates and must be 1 or more"),
        (lambda: gs.join([S, "x"], [3]), TypeError, "children[1]: 'x', a str, is not a schedule"),
        (lambda: gs.join([S, S], [-1]), ValueError, "milestones[0] is -1: it counts updates and must be 0 or more"),
        (
            lambda: gs.join([S, S, S], [3, 2]),
            ValueError,
            "milestones is [3, 2]: it must not fall, but milestones[1] = 2 follows 3",
        ),
        (
            lambda: gs.join([S, S], [3, 4]),
            ValueError,
            "there are 2 children and 2 milestones: give one child more than milestones",
        ),
        (lambda: gs.join([], []), ValueError, "there are 0 children and 0 milestones"),
        (
            lambda: gs.stages([(3, S), (-1, S)], last=S),
            ValueError,
            "parts[1][0] is -1: it counts updates and must be 0 or more",
        ),
        (
            lambda: gs.tied(S, 0.9, 0.8, steps=9),
            ValueError,
            "lo is 0.9 and hi is 0.8: lo must not be above hi; see invert",
        ),
        (
            lambda: gs.tied(0.1, 0.8, 0.9, steps=9),
            ValueError,
            "to is 0.1 at every step up to 9: a range of one value can't be mapped onto [lo, hi]",
        ),
        (lambda: gs.layerwise(S, 0, 0.9), ValueError, "layers is 0: it must be an integer, 1 or more"),
        (lambda: gs.layerwise(S, 3, 0.0), ValueError, "decay is 0.0: it must be above 0"),
    ],
)
def test_refused_compositions(make, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        make()
