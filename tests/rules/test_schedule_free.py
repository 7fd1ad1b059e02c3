"""Schedule-Free rules: the average that is evaluated, the change of modes, and what is refused between them."""

import copy

import numpy as np
import pytest

import gradstep
from support.arrays import DTYPES, assert_same_bits, normal, step_all, to_numpy, to_torch
from support.cases import CASES
from support.tolerances import FEW_ULP, TENS_OF_ULP

SIZE = 70

each_rule = pytest.mark.parametrize("case", [case for case in CASES if "ScheduleFree" in case.name], ids=str)


def trained(case, steps=3, dtype="f32", **options):
    p = normal(0, SIZE, dtype)
    return p, step_all(case.over([p], **options), [[normal(t, SIZE, dtype)] for t in range(1, steps + 1)])


def momentum_of(case):
    return case.hyper["momentum"] if "momentum" in case.hyper else case.hyper["betas"][0]


@each_rule
def test_evaluation_shows_the_weighted_average_of_z(case):
    p = normal(0, SIZE, "f64")
    optimizer, x, total = case.over([p]), 0.0, 0.0
    for t in range(1, 7):
        optimizer.step([normal(t, SIZE, "f64")])
        weight = t ** case.hyper["r"]  # the rate does not change
        x, total = x + weight * optimizer.state[0]["z"], total + weight
    y = p.copy()
    optimizer.eval()
    # Six updates and the change of mode, at most ten roundings each of numbers below 4.
    np.testing.assert_allclose(p, x / total, rtol=0, atol=TENS_OF_ULP)
    optimizer.train()
    np.testing.assert_allclose(p, y, rtol=0, atol=2e-15)


@each_rule
def test_a_step_in_evaluation_mode_is_refused_before_anything_is_written(case):
    # Trap: forgetting the change of mode is the usual mistake with these rules.
    p, optimizer = trained(case)
    optimizer.eval()
    before, state = p.copy(), copy.deepcopy(optimizer.state[0])
    with pytest.raises(RuntimeError, match=r"parameters hold their average, for evaluation: call train\(\) before"):
        optimizer.step([normal(9, SIZE)])
    assert_same_bits(p, before)
    for name, values in state.items():
        assert_same_bits(optimizer.state[0][name], values)
    optimizer.train()
    optimizer.step([normal(9, SIZE)])


@each_rule
def test_a_mode_is_entered_once(case):
    p, optimizer = trained(case)
    y = p.copy()
    optimizer.train()
    assert_same_bits(p, y)
    optimizer.eval()
    x = p.copy()
    assert not np.array_equal(x, y)
    optimizer.eval()
    assert_same_bits(p, x)


@each_rule
def test_evaluation_before_any_update_changes_nothing(case):
    p = normal(0, SIZE)
    before = p.copy()
    optimizer = case.over([p])
    optimizer.eval()
    optimizer.train()
    assert_same_bits(p, before)


@each_rule
def test_evaluation_leaves_a_parameter_without_updates_alone(case):
    p, never = normal(0, SIZE), normal(5, SIZE)
    optimizer = case.over([never, p])
    for t in (1, 2):
        optimizer.step([None, normal(t, SIZE)])
    y = p.copy()
    optimizer.eval()
    assert_same_bits(never, normal(5, SIZE))
    assert not np.array_equal(p, y)


@each_rule
def test_rates_of_zero_have_no_weight(case):
    # Trap: a warm-up from 0 makes the sum of the weights 0, and 0 / 0 NaN.
    p, twin = normal(0, SIZE), normal(0, SIZE)
    late = case.over([p], lr=gradstep.Constant(0.0).then(0.1, at=2), r=0.0)
    step_all(late, [[normal(t, SIZE)] for t in (1, 2)])
    assert_same_bits(p, twin)
    late.eval()
    assert_same_bits(p, twin)
    late.train()
    late.step([normal(3, SIZE)])
    late.eval()
    # The first update of a weight is the whole average.
    np.testing.assert_allclose(p, late.state[0]["z"], rtol=0, atol=4 * np.finfo(np.float32).eps)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@each_rule
def test_weights_are_summed_in_double(case, library):
    # Trap: in float32 the sum stands still once a weight is 2^-24 of it, and with it the average.
    if library == "torch":
        pytest.importorskip("torch")
        p = to_torch(normal(0, 3))
        optimizer = case.over_tensors([p], r=0.0, weight_lr_power=0.0)
        p.grad = to_torch(normal(1, 3))
        arguments, state = (), optimizer.state[p]
    else:
        optimizer = case.over([normal(0, 3)], r=0.0, weight_lr_power=0.0)
        arguments, state = ([normal(1, 3)],), optimizer.state[0]
    optimizer.step(*arguments)
    state["weight_sum"][...] = 2.0**30
    optimizer.step(*arguments)
    assert state["weight_sum"] == 2.0**30 + 1


@each_rule
def test_the_largest_rate_so_far_sets_the_weight(case):
    lr = gradstep.Linear(0.4, 0.2, 2)
    _, optimizer = trained(case, steps=3, lr=lr, r=0.0, weight_lr_power=2.0)
    assert optimizer.state[0]["lr_max"] == 0.4
    np.testing.assert_allclose(optimizer.state[0]["weight_sum"], 3 * 0.4**2, rtol=FEW_ULP)


@pytest.mark.parametrize("mode", ["train", "eval"])
@each_rule
def test_a_checkpoint_knows_its_mode(case, mode):
    p, optimizer = trained(case)
    getattr(optimizer, mode)()
    q = p.copy()
    resumed = case.over([q])
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for each in (optimizer, resumed):
        each.train()
        each.step([normal(9, SIZE)])
    assert_same_bits(q, p)


@each_rule
def test_a_group_that_joins_during_evaluation_is_left_alone(case):
    _, optimizer = trained(case)
    optimizer.eval()
    q = normal(5, SIZE)
    optimizer.add_param_group({"params": [q]})
    optimizer.train()
    assert_same_bits(q, normal(5, SIZE))
    optimizer.step([normal(9, SIZE), normal(9, SIZE)])


@pytest.mark.parametrize("dtype", DTYPES)
@each_rule
def test_tensors_change_mode_as_arrays_do(case, dtype):
    pytest.importorskip("torch")
    p, optimizer = trained(case, dtype=dtype)
    tensor = to_torch(normal(0, SIZE, dtype).reshape(10, 7)).t()  # any layout
    twin = case.over_tensors([tensor])
    for t in range(1, 4):
        tensor.grad = to_torch(normal(t, SIZE, dtype).reshape(10, 7)).t()
        twin.step()
    for mode in ("eval", "train"):
        getattr(optimizer, mode)()
        version = tensor._version
        getattr(twin, mode)()
        assert tensor._version > version, "autograd was not told"
        assert_same_bits(to_numpy(tensor).T.reshape(-1), p)


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@each_rule
def test_16_bit_parameters_round_their_average_once(case, dtype):
    p, optimizer = trained(case, dtype=dtype)
    weight = np.float32(1 - 1 / momentum_of(case))
    y, z = p.astype(np.float32), optimizer.state[0]["z"]
    assert z.dtype == np.float32
    optimizer.eval()
    # The product is exact in double, as in an fma.
    expected = (y.astype(float) + float(weight) * (z - y).astype(float)).astype(np.float32).astype(DTYPES[dtype])
    assert_same_bits(p, expected)
