"""Unscaling and clipping in the step give the bits of the same operations made one after the other."""

import math

import numpy as np
import pytest

import gradstep
from gradstep import functional
from gradstep.logs import norms
from support.arrays import assert_same_bits, awkward, normal, to_torch
from support.cases import CASES
from support.sums import norm
from support.tolerances import SINGLE, TENS_OF_ULP

SIZES = [0, 1, 31, 32, 33, 4095, 4096, 4097, 70_001]
SCALE, CLIP_NORM, CLIP_VALUE = 3.0, 0.7, 0.01
STEPS = 3

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", ["f32", "f64"])


def parameters(dtype):
    return [normal(i, n, dtype) for i, n in enumerate(SIZES)]


def gradients(t, dtype="f32"):
    return [normal(100 * t + i, n, dtype) for i, n in enumerate(SIZES)]


def shrink(arrays, limit, total):
    return [a * a.dtype.type(min(1, limit / (total + 1e-6))) for a in arrays]


@each_dtype
@each_case
def test_unscale_then_clip_by_norm_then_by_value(case, dtype):
    fused, separate = parameters(dtype), parameters(dtype)
    options = {"clip_norm": CLIP_NORM, "clip_value": CLIP_VALUE, "stats": True}
    one, other = case.over(fused, **options), case.over(separate)
    for t in range(STEPS):
        one.step(gradients(t, dtype), grad_scale=SCALE)
        g = [a * a.dtype.type(1 / SCALE) for a in gradients(t, dtype)]
        assert one.stats().gradient_norm == pytest.approx(
            norm(g), rel=TENS_OF_ULP
        )  # f64 squares are rounded differently
        g = shrink(g, CLIP_NORM, one.stats().gradient_norm)
        limited = sum(int(np.sum(np.abs(a) > CLIP_VALUE)) for a in g)
        assert 0 < limited < sum(SIZES)
        other.step([np.clip(a, -a.dtype.type(CLIP_VALUE), a.dtype.type(CLIP_VALUE)) for a in g])
    for p, q in zip(fused, separate, strict=True):
        assert_same_bits(p, q)


def test_the_norm_is_summed_in_the_tree():
    p, g = parameters("f32"), gradients(0)
    optimizer = gradstep.SGD(p, lr=0.1, clip_norm=1.0, stats=True)
    optimizer.step(g)
    assert optimizer.stats().gradient_norm == norm(g)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_norm_does_not_depend_on_threads(threads):
    p, g = [np.zeros(999_999, np.float32)], [normal(0, 999_999)]
    optimizer = gradstep.SGD(p, lr=0.1, clip_norm=1.0, stats=True)
    before = gradstep.get_num_threads()
    try:
        gradstep.set_num_threads(threads)
        optimizer.step(g)
    finally:
        gradstep.set_num_threads(before)
    assert optimizer.stats().gradient_norm == norm(g)


def test_a_norm_below_the_limit_changes_nothing():
    p, q, g = normal(0, 100), normal(0, 100), normal(1, 100)
    gradstep.SGD([p], lr=0.1, clip_norm=1000.0).step([g])
    gradstep.SGD([q], lr=0.1).step([g])
    assert_same_bits(p, q)


def test_each_group_by_itself():
    g = [normal(1, 100), 10 * normal(2, 100)]
    together, alone = [], []
    for scope, kept in (("all", together), ("group", alone)):
        p = [np.zeros(100, np.float32), np.zeros(100, np.float32)]
        groups = [{"params": [p[0]], "clip_norm": 0.5}, {"params": [p[1]], "clip_norm": 2.0}]
        gradstep.SGD(groups, lr=1.0, clip_scope=scope).step(g)
        kept.extend(p)
    for i, limit in enumerate((0.5, 2.0)):
        assert_same_bits(together[i], -shrink(g, limit, norm(g))[i])
        assert_same_bits(alone[i], -shrink(g, limit, norm(g[i : i + 1]))[i])


HUGE = [np.array([3e200, -4e200]), np.array([1e154, 2.0])]  # their squares overflow in float64


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("scale", [1.0, 2.0**20])
def test_finite_gradients_whose_squares_overflow(scale, skip):
    p = [np.zeros(2), np.zeros(2), np.zeros(2, np.float32)]
    optimizer = gradstep.SGD(p, lr=1.0, clip_norm=10.0, stats=True, skip_nonfinite=skip)
    optimizer.step([*HUGE, np.ones(2, np.float32)], grad_scale=scale)
    # by math.hypot, which scales; the rest is rounding
    assert optimizer.stats().gradient_norm == pytest.approx(math.hypot(3e200, 4e200, 1e154) / scale, rel=TENS_OF_ULP)
    np.testing.assert_allclose(p[0], [-6.0, 8.0], rtol=TENS_OF_ULP)
    np.testing.assert_allclose(p[1], [-2e-46, 0.0], rtol=TENS_OF_ULP, atol=1e-190)
    assert not p[2].any()  # 1e-199 in float32


def test_each_group_by_itself_where_squares_overflow():
    p = [np.zeros(2) for _ in range(3)]
    groups = [{"params": [each]} for each in p]
    optimizer = gradstep.SGD(groups, lr=1.0, clip_norm=10.0, clip_scope="group")
    optimizer.step([HUGE[0], np.array([30.0, 40.0]), np.array([3e-160, 4e-160])])
    np.testing.assert_allclose(
        p, [[-6.0, 8.0], [-6.0, -8.0], [-3e-160, -4e-160]], rtol=SINGLE
    )  # 1e-6 is in the formula


def test_huge_gradients_in_standalone_functions():
    assert functional.norm(HUGE) == pytest.approx(math.hypot(3e200, 4e200, 1e154), rel=TENS_OF_ULP)
    clipped = [each.copy() for each in HUGE]
    assert functional.clip_norm_(clipped, 10.0) == pytest.approx(5e200, rel=TENS_OF_ULP)
    np.testing.assert_allclose(clipped[0], [6.0, -8.0], rtol=TENS_OF_ULP)
    assert functional.norm([np.array([np.inf, 1e200])]) == np.inf
    assert norms.norm(HUGE) == pytest.approx(5e200, rel=TENS_OF_ULP)
    assert norms.norm([np.array([np.inf, 1e200])]) == np.inf


@pytest.mark.parametrize("largest", [1e160, 1e300, 1e308])
def test_a_norm_near_the_largest_number(largest):
    g = np.full(4, -largest / 4)
    assert functional.norm(g) == pytest.approx(largest / 2, rel=TENS_OF_ULP)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_norm_that_is_not_finite_spreads_as_in_torch(value):
    torch = pytest.importorskip("torch")
    g = normal(1, 50)
    g[7] = value
    p, q = np.zeros(50, np.float32), torch.zeros(50, requires_grad=True)
    gradstep.SGD([p], lr=1.0, clip_norm=1.0).step([g])
    q.grad = to_torch(g.copy())
    torch.nn.utils.clip_grad_norm_([q], 1.0)
    np.testing.assert_array_equal(p, -q.grad.numpy())


def test_clipping_by_value_keeps_nan_and_limits_infinity():
    p = np.zeros(4, np.float32)
    gradstep.SGD([p], lr=1.0, clip_value=0.5).step([np.array([np.nan, np.inf, -np.inf, 0.25], np.float32)])
    np.testing.assert_array_equal(p, np.array([np.nan, -0.5, 0.5, -0.25], np.float32))


def test_torchs_clipping_is_within_roundings():
    torch = pytest.importorskip("torch")
    p = [torch.nn.Parameter(torch.zeros(n)) for n in SIZES]
    for each, g in zip(p, gradients(1), strict=True):
        each.grad = to_torch(g)
    ours = [np.zeros(n, np.float32) for n in SIZES]
    gradstep.SGD(ours, lr=1.0, clip_norm=CLIP_NORM).step(gradients(1))
    torch.nn.utils.clip_grad_norm_(p, CLIP_NORM)
    for mine, theirs in zip(ours, p, strict=True):
        np.testing.assert_allclose(mine, -theirs.grad.numpy(), rtol=SINGLE)  # torch sums the squares in float32


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_sixteen_bits_are_prepared_in_float32(dtype):
    p, q = normal(0, 5000, dtype), normal(0, 5000, dtype)
    g = normal(1, 5000, dtype)
    gradstep.SGD([p], lr=0.1, clip_norm=CLIP_NORM).step([g], grad_scale=SCALE)
    wide = g.astype(np.float32) * np.float32(1 / SCALE)
    gradstep.SGD([q], lr=0.1).step(shrink([wide], CLIP_NORM, norm([wide])))
    assert_same_bits(p, q)


def test_other_layouts_give_the_same_numbers():
    p, g = normal(0, 6000).reshape(60, 100), normal(1, 6000).reshape(60, 100)
    straight, turned = p.copy(), np.asfortranarray(p)
    strided = np.zeros((60, 200), np.float32)[:, ::2]
    strided[...] = g
    gradstep.AdamW([straight], lr=0.1, clip_norm=CLIP_NORM, ema=0.9).step([g])
    gradstep.AdamW([turned], lr=0.1, clip_norm=CLIP_NORM, ema=0.9).step([strided])
    # The norm is summed in the order of memory, so its last bit may differ.
    np.testing.assert_allclose(straight, turned, rtol=SINGLE)


def test_limits_may_be_schedules():
    limit = gradstep.Linear(1.0, 0.0, 4).clip(lo=0.125)
    p, q = np.zeros(3), np.zeros(3)
    scheduled, manual = gradstep.SGD([p], lr=1.0, clip_value=limit), gradstep.SGD([q], lr=1.0, clip_value=1.0)
    for t in range(6):
        manual.param_groups[0]["clip_value"] = limit(t)
        for each in (scheduled, manual):
            each.step([np.array([-2.0, 0.1, 5.0])])
    assert_same_bits(p, q)


def test_in_functional():
    p, q, g = normal(0, 40), normal(0, 40), normal(1, 40)
    gradstep.functional.sgd_(p, g, step=1, lr=0.1, clip_norm=CLIP_NORM, clip_value=CLIP_VALUE, grad_scale=SCALE)
    gradstep.SGD([q], lr=0.1, clip_norm=CLIP_NORM, clip_value=CLIP_VALUE).step([g], grad_scale=SCALE)
    assert_same_bits(p, q)


def test_awkward_gradients_are_the_same_on_one_thread_and_many():
    g = [awkward(1, 300_000)]
    results = []
    before = gradstep.get_num_threads()
    for threads in (1, 2):
        p = normal(0, 300_000)
        try:
            gradstep.set_num_threads(threads)
            gradstep.Adam([p], lr=0.1, clip_value=2.0, ema=0.9).step(g, grad_scale=SCALE)
        finally:
            gradstep.set_num_threads(before)
        results.append(p)
    assert_same_bits(*results)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clip_norm": 0.0}, r"Invalid clip_norm value: 0.0: clip_norm must be a number in \(0, inf\)"),
        ({"clip_norm": np.nan}, r"Invalid clip_norm value: nan"),
        ({"clip_value": -1.0}, r"Invalid clip_value value: -1.0: clip_value must be a number in \(0, inf\)"),
        ({"clip_scope": "each"}, "Invalid clip_scope: 'each': it must be one of 'all', 'group'"),
    ],
)
def test_refused_limits(options, message):
    with pytest.raises(ValueError, match=message):
        gradstep.SGD([np.zeros(2)], lr=0.1, **options)


@pytest.mark.parametrize("scale", [0.0, -2.0, np.nan])
def test_a_refused_scale(scale):
    p = np.ones(2)
    with pytest.raises(ValueError, match=r"Invalid grad_scale: .*: it multiplied the loss and must be above 0"):
        gradstep.SGD([p], lr=0.1).step([np.ones(2)], grad_scale=scale)
    np.testing.assert_array_equal(p, 1.0)
