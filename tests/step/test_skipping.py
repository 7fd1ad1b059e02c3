"""A skipped step changes nothing."""

import copy

import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal
from support.cases import CASES
from support.tolerances import SINGLE

SIZE = 5000

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_value = pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])


def bad(value=np.nan, size=SIZE):
    g = normal(9, size)
    g[size // 2] = value
    return g


def schedule():
    return gradstep.Linear(0.1, 0.0, 10)


@each_case
def test_nothing_has_moved(case):
    p, q = normal(0, SIZE), normal(0, SIZE)
    one = case.over([p], lr=schedule(), skip_nonfinite=True, ema=0.9, cast_to="f16")
    other = case.over([q], lr=schedule(), ema=0.9, cast_to="f16")
    for t in range(3):
        one.step([bad()])
        one.step([normal(t, SIZE)])
        other.step([normal(t, SIZE)])
    assert_same_bits(p, q)
    assert one.param_groups[0]["updates"] == 3
    for name, values in other.state[0].items():
        assert_same_bits(one.state[0][name], values)


@each_value
def test_no_state_is_made(value):
    p = normal(0, SIZE)
    optimizer = gradstep.Adam([p], lr=schedule(), skip_nonfinite=True)
    before = copy.deepcopy(optimizer.param_groups)
    optimizer.step([bad(value)])
    assert_same_bits(p, normal(0, SIZE))
    np.testing.assert_equal(optimizer.param_groups, before)
    assert optimizer.state == [{}]


def test_one_bad_gradient_skips_all():
    p, q = np.ones(3), np.ones(3)
    optimizer = gradstep.SGD([{"params": [p]}, {"params": [q], "skip_nonfinite": True}], lr=0.1)
    optimizer.step([np.array([1.0, np.nan, 1.0]), np.ones(3)])
    np.testing.assert_array_equal([p, q], 1.0)
    optimizer.step([np.ones(3), np.ones(3)])
    np.testing.assert_array_equal([p, q], 0.9)


def test_without_the_option_infinity_is_applied():
    p = np.ones(2)
    gradstep.SGD([p], lr=0.1).step([np.array([np.inf, 1.0])])
    np.testing.assert_array_equal(p, [-np.inf, 0.9])


def test_a_gradient_that_overflows_when_unscaled():
    p = np.ones(2, np.float32)
    optimizer = gradstep.SGD([p], lr=0.1, skip_nonfinite=True)
    optimizer.step([np.full(2, 3e38, np.float32)], grad_scale=0.5)
    np.testing.assert_array_equal(p, 1)


@pytest.mark.parametrize("found", [1, 1.0, True, np.array([1.0]), np.float32(2)], ids=str)
def test_found_inf_skips(found):
    p = np.ones(2)
    optimizer = gradstep.SGD([p], lr=0.1)
    optimizer.step([np.ones(2)], found_inf=float(found) if isinstance(found, bool) else found)
    np.testing.assert_array_equal(p, 1)
    optimizer.step([np.ones(2)], found_inf=np.zeros(1))
    np.testing.assert_array_equal(p, 0.9)


def test_gradients_are_zeroed_all_the_same():
    g = bad()
    optimizer = gradstep.SGD([normal(0, SIZE)], lr=0.1, skip_nonfinite=True, zero_grad=True)
    optimizer.step([g])
    assert optimizer.stats().skipped
    np.testing.assert_array_equal(g, 0)


def test_what_is_known_of_a_skipped_step():
    optimizer = gradstep.SGD([np.zeros(3)], lr=0.1, skip_nonfinite=True)
    optimizer.step([np.array([np.nan, np.inf, 1.0])])
    stats = optimizer.stats()
    assert (stats.skipped, stats.nonfinite) == (True, 2)


def test_in_functional():
    p = np.ones(3)
    gradstep.functional.sgd_(p, np.array([np.nan, 1, 1]), step=1, lr=0.1, skip_nonfinite=True)
    gradstep.functional.sgd_(p, np.ones(3), step=1, lr=0.1, found_inf=1.0)
    np.testing.assert_array_equal(p, 1)


def test_torchs_grad_scaler():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    def train(make):
        torch.manual_seed(0)
        model = torch.nn.Linear(5, 3)
        optimizer = make(model.parameters())
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16, growth_interval=2)
        x = torch.randn(7, 5)
        for i in range(8):
            optimizer.zero_grad()
            loss = model(x).square().mean() * (float("inf") if i == 3 else 1.0)
            scaler.scale(loss).backward()
            if i % 2:
                scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
        return [p.detach().clone() for p in model.parameters()], scaler.get_scale()

    # Scales are powers of two, so unscaling is exact wherever it is done, and both make the same updates.
    ours, scale = train(lambda params: optim.SGD(params, lr=0.1, momentum=0.8, weight_decay=0.0))
    theirs, torch_scale = train(lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.8, foreach=False))
    assert scale == torch_scale != 2.0**16
    for p, q in zip(ours, theirs, strict=True):
        torch.testing.assert_close(p, q, rtol=SINGLE, atol=1e-7)  # fma here, two roundings there
