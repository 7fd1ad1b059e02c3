"""Rules that need reductions over a tensor before the update: their sums, and the gradient that enters them."""

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal, step_all
from support.cases import CASES
from support.sums import norm
from support.tolerances import SINGLE

each_measured = pytest.mark.parametrize("case", [case for case in CASES if case.scope != "element"], ids=str)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_norms_are_summed_in_the_tree(threads):
    # In float32 a norm of the ratio's size is seen to the bit: the update of LARS is ratio * g.
    p, g = normal(0, 5 * 16 * 4096 + 1237), normal(1, 5 * 16 * 4096 + 1237)
    gradstep.set_num_threads(threads)
    expected = p.copy()
    gradstep.SGD([expected], lr=0.5 * (norm([p]) / norm([g]))).step([g])
    gradstep.LARS([p], lr=0.5, momentum=0.0, trust_coeff=1.0, eps=0.0).step([g])
    assert_same_bits(p, expected)


def test_the_sums_are_formed_in_float64():
    # Trap: in float32 the squares of such gradients overflow, and in bfloat16 a sum stops at 256 ones.
    ml_dtypes = pytest.importorskip("ml_dtypes")
    g = np.full(5000, 1e30, np.float32)
    p = np.zeros(5000, np.float32) + 2
    step_all(gradstep.LARS([p], lr=1.0, momentum=0.0, trust_coeff=0.5, eps=0.0), [[g]])
    np.testing.assert_allclose(p, 1.0, rtol=SINGLE)  # a few roundings of float32
    p = np.ones(10_000, ml_dtypes.bfloat16)
    step_all(gradstep.LARS([p], lr=1.0, momentum=0.0, trust_coeff=0.5, eps=0.0), [[p.copy()]])
    np.testing.assert_array_equal(p.astype(float), 0.5)


@each_measured
def test_what_is_measured_is_the_prepared_gradient(case):
    # Unscaled, clipped and flipped beforehand, the gradient gives the same bits.
    fused, separate = normal(0, 5000), normal(0, 5000)
    options = {"clip_value": 0.25, "maximize": True}
    one, other = case.over([fused], **options), case.over([separate])
    for t in range(1, 4):
        g = normal(t, 5000)
        one.step([g], grad_scale=4.0)
        other.step([-np.clip(g / 4, -np.float32(0.25), np.float32(0.25))])
    assert_same_bits(fused, separate)


@each_measured
def test_the_tail_comes_in_one_call(case):
    # With all options around the rule, the parameter has the bits of the rule alone.
    p, q, g = normal(0, 5000), normal(0, 5000), [normal(t, 5000) for t in range(1, 4)]
    options = {"ema": 0.5, "cast_to": "f16", "stats": True, "skip_nonfinite": True, "zero_grad": True}
    optimizer, plain = case.over([p], **options), case.over([q])
    expected = q.astype(np.float32)
    for each in g:
        given = each.copy()
        optimizer.step([given])
        plain.step([each])
        assert not given.any()
        expected += np.float32(0.5) * (q - expected)
    assert_same_bits(p, q)
    assert_same_bits(optimizer.state[0]["cast"], q.astype(np.float16))
    np.testing.assert_allclose(optimizer.state[0]["ema"], expected, rtol=SINGLE, atol=SINGLE)


@each_measured
def test_a_skipped_update_leaves_nothing_behind(case):
    p, q, g = normal(0, 70), normal(0, 70), [normal(t, 70) for t in range(1, 4)]
    optimizer, plain = case.over([p], skip_nonfinite=True), case.over([q])
    bad = np.where(np.arange(70) == 5, np.inf, g[0]).astype(np.float32)
    step_all(optimizer, [[bad], [g[0]], [bad], [g[1]]])
    step_all(plain, [[g[0]], [g[1]]])
    assert_same_bits(p, q)
    for name, values in plain.state[0].items():
        assert_same_bits(optimizer.state[0][name], values)


@each_measured
def test_nan_is_in_the_norm_and_so_everywhere(case):
    # Trap: where a comparison swallows it (timm's where), the rest of the tensor silently moves at a ratio of 1.
    p, g = normal(0, 40), normal(1, 40)
    g[7] = np.nan
    step_all(case.over([p]), [[g]] * 2)
    assert np.isnan(p).all()


@each_measured
def test_a_sparse_gradient_is_refused(case):
    p = normal(0, (5, 3))
    optimizer = case.over([p], lazy_rows=True)
    with pytest.raises(ValueError, match=r"is sparse: its rule measures whole tensors.*pass \.to_dense\(\)"):
        optimizer.step([gradstep.Rows(np.array([1]), normal(1, (1, 3)))])
    assert_same_bits(p, normal(0, (5, 3)))


def test_prodigy_refuses_release():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    with pytest.raises(ValueError, match="Prodigy needs the gradients of all tensors for the update of each"):
        optim.Prodigy([torch.nn.Parameter(torch.ones(2))], release=True)
