"""stats: statistics of a step, computed in its pass."""

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal
from support.cases import ONE_EACH
from support.sums import norm
from support.tolerances import MANY_ROUNDINGS

SIZES = (1, 33, 9000)


@pytest.mark.parametrize("dtype", ["f32", "f64", "bf16"])
@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_norms(case, dtype):
    p = [normal(i, n, dtype) for i, n in enumerate(SIZES)]
    q = [each.copy() for each in p]
    optimizer, plain = case.over(p, stats=True), case.over(q)
    for t in range(2):
        before = [each.astype(np.float64) for each in p]
        g = [normal(10 * t + i + 5, n, dtype) for i, n in enumerate(SIZES)]
        optimizer.step(g, grad_scale=2.0)
        plain.step(g, grad_scale=2.0)
        stats = optimizer.stats()
        after = [each.astype(np.float64) for each in p]
        changes = [x - y for x, y in zip(after, before, strict=True)]
        # The statistics of a bf16 parameter are computed before it is rounded, which changes it by up to 1 in 512.
        rounding = norm(after) / 512 if dtype == "bf16" else 0.0
        assert stats.gradient_norm == pytest.approx(
            norm([each.astype(np.float64) / 2 for each in g]), rel=MANY_ROUNDINGS
        )
        assert stats.parameter_norm == pytest.approx(norm(after), rel=MANY_ROUNDINGS, abs=rounding)
        assert stats.update_norm == pytest.approx(norm(changes), rel=MANY_ROUNDINGS, abs=rounding)
        assert (stats.nonfinite, stats.skipped) == (0, False)
    for x, y in zip(p, q, strict=True):
        assert_same_bits(x, y)


def test_what_is_not_finite_is_counted():
    optimizer = gradstep.SGD([np.zeros(5), np.zeros(2)], lr=0.1, stats=True)
    optimizer.step([np.array([1.0, np.nan, np.inf, -np.inf, 0.0]), np.array([np.nan, 2.0])])
    assert optimizer.stats().nonfinite == 4


@pytest.mark.parametrize("where", [0, 1023, 1024, 4095, 4096, 8999])
def test_what_is_not_finite_is_counted_in_any_block(where):
    g = np.ones(9000, np.float32)
    g[where] = np.inf
    optimizer = gradstep.SGD([np.zeros(9000, np.float32)], lr=0.1, stats=True)
    optimizer.step([g])
    assert optimizer.stats().nonfinite == 1


def test_numbers_whose_squares_overflow_are_finite():
    p = np.zeros(9000)
    optimizer = gradstep.SGD([p], lr=1.0, stats=True, skip_nonfinite=True)
    optimizer.step([np.full(9000, -1e200)])
    assert (optimizer.stats().nonfinite, optimizer.stats().skipped) == (0, False)
    np.testing.assert_array_equal(p, 1e200)


def test_unmeasured():
    optimizer = gradstep.SGD([np.zeros(5)], lr=0.1)
    optimizer.step([np.ones(5)])
    with pytest.raises(RuntimeError, match="no step has been measured: make the optimizer with stats=True, then step"):
        optimizer.stats()


@pytest.mark.parametrize("options", [{"stats": True}, {}])
def test_of_a_skipped_step_the_norms_of_parameters_are_not_known(options):
    optimizer = gradstep.SGD([np.full(5, 3.0)], lr=0.1, skip_nonfinite=True, **options)
    optimizer.step([np.array([1.0, np.nan, np.inf, 0.0, 0.0])])
    stats = optimizer.stats()
    assert (stats.nonfinite, stats.skipped) == (2, True)
    assert np.isnan(stats.update_norm)
    assert np.isnan(stats.parameter_norm)
    optimizer.step([np.ones(5)])
    if options:
        assert optimizer.stats().parameter_norm == pytest.approx(norm([np.full(5, 2.9)]), rel=MANY_ROUNDINGS)
