"""Prodigy: the estimate of the distance, which all tensors share."""

import copy

import numpy as np
import pytest

import gradstep
from support import reference
from support.arrays import assert_same_bits, normal, step_all
from support.tolerances import FEW_ULP, SINGLE, TENS_OF_ULP

SIZES = (70, 1, 4133)
TARGET = 3.0
SHARED = ("d", "d_max", "d_numerator")
SETTINGS = [
    {},
    {"d0": 1e-3, "d_coef": 1.5, "weight_decay": 0.01, "eps": 1e-3},
    {"d0": 1e-3, "growth_rate": 1.25, "bias_correction": True, "lr": 0.7},
    {"d0": 1e-2, "safeguard_warmup": True, "beta3": 0.8, "lr": 0.5, "betas": (0.8, 0.9)},
]
each_setting = pytest.mark.parametrize("hyper", SETTINGS, ids=["defaults", "decay", "growth", "safeguard"])


def starts(dtype="f64"):
    return [normal(i, n, dtype) for i, n in enumerate(SIZES)]


def pull(arrays):
    """The gradients of half the squared distance to TARGET."""
    return [p - p.dtype.type(TARGET) for p in arrays]


def train(optimizer, arrays, steps):
    for _ in range(steps):
        optimizer.step(pull(arrays))
    return optimizer


@each_setting
def test_the_estimate_grows_as_in_the_reference(hyper):
    arrays = starts()
    optimizer = gradstep.Prodigy(arrays, **hyper)
    group = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    p, gradients, joined = np.concatenate(starts()).astype(np.longdouble), [], None
    for _ in range(12):
        gradients.append(np.concatenate(pull(arrays)))
        optimizer.step(pull(arrays))
        joined = reference.run("Prodigy", p, gradients, group)
    # d0 * g is lost in p by rounding, once per update: relative to the way so far, and to d, at most this.
    lost = 12 * np.finfo(np.float64).eps * TARGET / group["d0"]
    np.testing.assert_allclose(np.concatenate(arrays), joined.p.astype(float), rtol=lost)
    for state in optimizer.state:
        for name in SHARED:
            np.testing.assert_allclose(state[name], float(joined.states[name]), rtol=lost)
    assert joined.states["d"] > 2 * group["d0"]


@each_setting
def test_the_authors_code(hyper):
    torch = pytest.importorskip("torch")
    prodigyopt = pytest.importorskip("prodigyopt")
    arrays, tensors = starts(), [torch.from_numpy(p) for p in starts()]
    theirs = {"use_bias_correction" if k == "bias_correction" else k: v for k, v in hyper.items()}
    other, optimizer = prodigyopt.Prodigy(tensors, **theirs), gradstep.Prodigy(arrays, **hyper)
    for _ in range(12):
        gradients = pull(arrays)
        for p, g in zip(tensors, gradients, strict=True):
            p.grad = torch.from_numpy(g)
        other.step()
        optimizer.step(gradients)
    group = other.param_groups[0]
    # As against the reference, on both sides.
    tolerance = 24 * np.finfo(np.float64).eps * TARGET / group["d0"]
    for p, q in zip(arrays, tensors, strict=True):
        np.testing.assert_allclose(p, q.numpy(), rtol=tolerance)
    for name in SHARED:
        np.testing.assert_allclose(optimizer.state[0][name], group[name], rtol=tolerance)


def test_all_tensors_of_all_groups_share_the_numbers():
    parts, whole = starts("f32"), [np.concatenate(starts("f32"))]
    groups = [{"params": parts[:1], "weight_decay": 0.1}, {"params": parts[1:], "weight_decay": 0.1}]
    one = train(gradstep.Prodigy(groups, d0=1e-3), parts, 6)
    other = train(gradstep.Prodigy(whole, d0=1e-3, weight_decay=0.1), whole, 6)
    for state in one.state:
        for name in SHARED:
            assert_same_bits(state[name], one.state[0][name])
            # The tree of sums is cut elsewhere: a few roundings of float64, seen through those of p to float32.
            np.testing.assert_allclose(state[name], other.state[0][name], rtol=1e-4)


@pytest.mark.parametrize("threads", [2, 3])
def test_the_numbers_do_not_depend_on_threads(threads):
    found = []
    for count in (1, threads):
        gradstep.set_num_threads(count)
        arrays = [normal(0, 300_001), normal(1, 77)]
        optimizer = train(gradstep.Prodigy(arrays, d0=1e-3), arrays, 3)
        found.append([*arrays, *(optimizer.state[1][name] for name in SHARED)])
    for a, b in zip(*found, strict=True):
        assert_same_bits(a, b)


def test_a_tensor_that_comes_late_takes_up_the_numbers():
    early, late = normal(0, 50, "f64"), normal(1, 50, "f64")
    optimizer = gradstep.Prodigy([early, late], d0=1e-2)
    for _ in range(5):
        optimizer.step([early - TARGET, None])
    assert not optimizer.state[1]
    d, start = optimizer.state[0]["d"].copy(), late.copy()
    optimizer.step([early - TARGET, late - TARGET])
    assert d > 2e-2
    assert_same_bits(optimizer.state[1]["p0"], start)
    # Its own moments start now: (1 - beta1) / sqrt(1 - beta2) is the first direction, at the rate of all.
    np.testing.assert_allclose(start - late, -d * 0.1 / np.sqrt(0.001), rtol=SINGLE)  # eps over the gradient
    for name in ("step", *SHARED):
        assert optimizer.state[1][name] == optimizer.state[0][name]


def test_a_tensor_that_misses_updates_misses_no_estimate():
    p, q = normal(0, 50, "f64"), normal(1, 50, "f64")
    optimizer = gradstep.Prodigy([p, q], d0=1e-2)
    optimizer.step([p - TARGET, q - TARGET])
    for _ in range(4):
        optimizer.step([p - TARGET, None])
    before, start = optimizer.state[0]["d"].copy(), q.copy()
    optimizer.step([None, q - TARGET])
    for state in optimizer.state:
        assert state["d"] >= before > 2e-2
        assert state["step"] == 6
    # Its second update: m is 0.9 of the first (by d0) and 0.1 of this one; the ratio is near (1 - 0.9) / sqrt(0.001).
    np.testing.assert_allclose(q - start, before * 0.1 / np.sqrt(0.001), rtol=0.1)


def test_no_update_before_a_gradient():
    # Trap: 0 / 0 is no estimate. Count, numbers and parameter stay; the start is where the parameter is.
    arrays = starts()
    optimizer = gradstep.Prodigy(arrays, weight_decay=0.5)
    step_all(optimizer, [[np.zeros_like(p) for p in arrays]] * 2)
    for p, start, state in zip(arrays, starts(), optimizer.state, strict=True):
        assert_same_bits(p, start)
        assert (state["step"], state["d"], state["d_max"], state["d_numerator"]) == (0, 1e-6, 1e-6, 0)
    late, prompt = starts(), starts()
    train(optimizer, arrays, 3)
    train(gradstep.Prodigy(prompt, weight_decay=0.5), prompt, 3)
    for p, q in zip(arrays, prompt, strict=True):
        assert_same_bits(p, q)
    assert not np.array_equal(late[0], arrays[0])


def test_a_rate_of_zero_is_no_update():
    arrays, others = starts(), starts()
    optimizer, other = gradstep.Prodigy(arrays, d0=1e-3), gradstep.Prodigy(others, d0=1e-3)
    train(optimizer, arrays, 2)
    train(other, others, 2)
    optimizer.param_groups[0]["lr"] = 0.0
    train(optimizer, arrays, 2)
    for p, q in zip(arrays, others, strict=True):
        assert_same_bits(p, q)
    for mine, theirs in zip(optimizer.state, other.state, strict=True):
        for name, values in theirs.items():
            assert_same_bits(mine[name], values)


def test_only_the_first_estimate_above_d0_is_free_to_jump():
    p = [np.zeros(100)]
    optimizer = gradstep.Prodigy(p, d0=1e-6, growth_rate=1.5)
    found = []
    for _ in range(12):
        optimizer.step(pull(p))
        found.append(float(optimizer.state[0]["d"]))
    jump = next(i for i, d in enumerate(found) if d > 1e-6)
    growth = np.divide(found[jump + 1 :], found[jump:-1])
    assert growth.max() == pytest.approx(1.5, rel=FEW_ULP)
    free = [np.zeros(100)]
    assert train(gradstep.Prodigy(free, d0=1e-6), free, 12).state[0]["d"] > 2 * found[-1]


def test_eps_is_scaled_by_the_new_estimate_and_the_rate_is_not():
    p = np.array([0.0])
    optimizer = gradstep.Prodigy([p], d0=0.25, betas=(0.5, 0.75), eps=2.0, d_coef=16.0)
    optimizer.step([np.array([-1.0])])
    state = optimizer.state[0]
    assert state["d"] == 0.25  # at the start the way is 0, and so is the estimate
    m, v, before = state["exp_avg"][0], state["exp_avg_sq"][0], p[0]
    optimizer.step([np.array([-1.0])])
    d = state["d"]
    assert d > 0.25
    m, v = 0.5 * m - 0.5 * 0.25, 0.75 * v + 0.25 * 0.25**2
    np.testing.assert_allclose(p, before - 0.25 * m / (np.sqrt(v) + d * 2.0), rtol=TENS_OF_ULP)


def test_the_decay_is_multiplied_by_the_estimate_before_the_update():
    # Trap: with d after the update, or without d, it would be far stronger.
    p, q = np.full(10, 2.0), np.full(10, 2.0)
    step_all(gradstep.Prodigy([p], d0=0.125, weight_decay=0.5), [[np.ones(10)]])
    step_all(gradstep.Prodigy([q], d0=0.125), [[np.ones(10)]])
    np.testing.assert_allclose(q - p, 0.125 * 0.5 * 2.0, rtol=TENS_OF_ULP)  # a difference of numbers near 2


def test_groups_that_differ_are_refused():
    arrays = starts()
    optimizer = gradstep.Prodigy([{"params": arrays[:1]}, {"params": arrays[1:], "lr": 0.5}])
    with pytest.raises(ValueError, match="measures all groups as one: give them the same lr and hyper-parameters"):
        optimizer.step(pull(arrays))
    assert optimizer.state == [{}, {}, {}]
    optimizer.param_groups[1].update(lr=1.0, weight_decay=0.1)
    optimizer.step(pull(arrays))


def test_saved_while_a_tensor_is_missing_it_goes_on_alike():
    p, q = [normal(0, 50), normal(1, 50)], [normal(0, 50), normal(1, 50)]
    straight, first = gradstep.Prodigy(p, d0=1e-3), gradstep.Prodigy(q, d0=1e-3)
    for optimizer, (a, b) in ((straight, p), (first, q)):
        step_all(optimizer, [[a - 1, b - 1]] * 2)
        step_all(optimizer, [[a - 1, None]] * 2)
    second = gradstep.Prodigy(q, d0=1e-3)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for optimizer, (a, b) in ((straight, p), (second, q)):
        step_all(optimizer, [[None, b - 1], [a - 1, b - 1]])
    for a, b in zip(p, q, strict=True):
        assert_same_bits(a, b)
