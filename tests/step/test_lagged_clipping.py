"""clip_lagged: clipping by the norm of the update before, measured in its pass."""

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal
from support.cases import ONE_EACH
from support.sums import norm

SIZES = (1, 33, 9000)
LIMIT = 2.0


def gradients(t):
    return [normal(100 * t + i, n) * np.float32(t + 1) for i, n in enumerate(SIZES)]


@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_the_norm_is_that_of_the_update_before(case):
    p, q = [[normal(i, n) for i, n in enumerate(SIZES)] for _ in range(2)]
    clipping, plain = case.over(p, clip_norm=LIMIT, clip_lagged=True), case.over(q)
    before = 0.0
    for t in range(3):
        clipping.step(gradients(t))
        by = np.float32(min(1, LIMIT / (before + 1e-6)))
        plain.step([by * g for g in gradients(t)])
        before = norm(gradients(t))
        assert clipping.param_groups[0]["last_norm"] == before > LIMIT
        for one, other in zip(p, q, strict=True):
            assert_same_bits(one, other)


def test_a_skipped_step_leaves_the_norm():
    p = np.zeros(1)
    optimizer = gradstep.SGD([p], lr=1.0, clip_norm=3.0, clip_lagged=True, skip_nonfinite=True)
    for gradient in (4.0, np.inf, 8.0):
        optimizer.step([np.full(1, gradient)])
    assert p == -4.0 - 8.0 * (3.0 / (4.0 + 1e-6))
    assert optimizer.param_groups[0]["last_norm"] == 8.0


def test_resume():
    options = {"lr": 0.5, "clip_norm": 0.5, "clip_lagged": True}
    p = normal(0, 50)
    first = gradstep.SGD([p], **options)
    first.step([normal(1, 50)])
    q = p.copy()
    second = gradstep.SGD([q], **options)
    second.load_state_dict(first.state_dict())
    for optimizer in (first, second):
        optimizer.step([normal(2, 50)])
    assert_same_bits(p, q)


def test_refusals():
    p = np.ones(2)
    with pytest.raises(ValueError, match="clip_lagged=True keeps one norm, that of all groups: pass clip_scope='all'"):
        gradstep.SGD([p], lr=0.1, clip_lagged=True, clip_scope="group")
    groups = [{"params": [p], "clip_lagged": True}, {"params": [np.ones(1)]}]
    with pytest.raises(ValueError, match=r"clip_lagged is of the whole optimizer, but its groups have \[False, True\]"):
        gradstep.SGD(groups, lr=0.1)
    with pytest.raises(
        ValueError, match="sgd_ keeps nothing between updates, which clip_lagged needs: use the optimizer"
    ):
        gradstep.functional.sgd_(p, p.copy(), step=1, lr=0.1, clip_norm=1.0, clip_lagged=True)
