"""state_dict: each library loads the other's checkpoints, and a saved run continues to the bit."""

import copy
import io
import pickle

import ml_dtypes
import numpy as np
import pytest

from support.arrays import DTYPES, assert_same_bits, normal, state_arrays, to_numpy, to_torch
from support.cases import ALL_CASES, CASES, torch_cases

torch = pytest.importorskip("torch")

each_case = pytest.mark.parametrize("case", ALL_CASES, ids=str)
each_shared = pytest.mark.parametrize("case", torch_cases(CASES), ids=str)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)

STEPS = 6
SIZES = (5, 70)


def tensors(dtype):
    return [to_torch(normal(i, n, dtype)) for i, n in enumerate(SIZES)]


def steps(optimizer, params, times):
    for t in times:
        for i, p in enumerate(params):
            p.grad = to_torch(normal(100 * t + i, len(p), "f32")).to(p.dtype)
        optimizer.step()


def assert_same_run(params, optimizer, others, other):
    for p, q in zip(params, others, strict=True):
        assert_same_bits(to_numpy(p), to_numpy(q))
        mine, theirs = state_arrays(optimizer.state[p]), state_arrays(other.state[q])
        assert set(mine) == set(theirs)
        for name, values in theirs.items():
            assert_same_bits(mine[name], values)


def through_file(state_dict):
    file = io.BytesIO()
    torch.save(state_dict, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def ours(case, params, **options):
    return case.over_tensors(params, **options)


def torchs(case, params, **_):
    from torch import optim

    return getattr(optim, case.name)(params, **case.hyper, foreach=False)


def resumed(makers, case, dtype, **options):
    """A run in which the first of ``makers`` saves, the next loads and saves at once, and the last goes on;
    and one that never stopped."""
    straight = tensors(dtype)
    never = makers[-1](case, straight, **options)
    params = tensors(dtype)
    first = makers[0](case, params, **options)
    for optimizer, p in ((never, straight), (first, params)):
        steps(optimizer, p, range(3))
    last = first
    for make in makers[1:]:
        # a copy: torch's own load_state_dict takes over what it need not cast, so two would share it
        saved = copy.deepcopy(last.state_dict())
        last = make(case, params, **options)
        last.load_state_dict(saved)
    for optimizer, p in ((never, straight), (last, params)):
        steps(optimizer, p, range(3, STEPS))
    return params, last, straight, never


@each_dtype
@each_shared
def test_a_round_trip_through_torch_loses_nothing(case, dtype):
    if dtype in ("f16", "bf16") and case.name in ("NAdam", "ASGD"):
        pytest.skip("torch rounds mu_product, eta and mu to 16 bits when it loads, its own as well")
    assert_same_run(*resumed([ours, torchs, ours], case, dtype, state_dtype="param"))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@each_shared
def test_a_round_trip_of_torchs_through_here_loses_nothing(case, dtype):
    # torch makes its numbers in the default dtype and loads them in the parameter's.
    before = torch.get_default_dtype()
    torch.set_default_dtype(to_torch(normal(0, 1, dtype)).dtype)
    try:
        assert_same_run(*resumed([torchs, ours, torchs], case, dtype))
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@each_shared
def test_torchs_checkpoint_is_taken_as_it_is(case, dtype):
    # Training resumed from torch's states continues as with the same arrays given to gradstep.<Name>.
    params = tensors(dtype)
    first = torchs(case, params)
    steps(first, params, range(3))
    loaded = ours(case, params)
    loaded.load_state_dict(copy.deepcopy(first.state_dict()))
    arrays = [to_numpy(p).copy() for p in params]
    twin = case.over(arrays)
    twin.load_state_dict(
        {
            "state": {i: state_arrays(loaded.state[p]) for i, p in enumerate(params)},
            "param_groups": twin.state_dict()["param_groups"],
        }
    )
    steps(loaded, params, range(3, STEPS))
    for t in range(3, STEPS):
        twin.step([normal(100 * t + i, n).astype(DTYPES[dtype]) for i, n in enumerate(SIZES)])
    for p, array in zip(params, arrays, strict=True):
        assert_same_bits(to_numpy(p), array)


@pytest.mark.grid
@pytest.mark.parametrize("state_dtype", [None, "param"])
@each_dtype
@each_case
def test_save_load_and_go_on(case, dtype, state_dtype):
    straight = tensors(dtype)
    never = case.over_tensors(straight, state_dtype=state_dtype)
    for stop in range(STEPS):
        params = [p.clone() for p in straight]
        saved = through_file(never.state_dict())
        optimizer = case.over_tensors(params, state_dtype=state_dtype)
        optimizer.load_state_dict(saved)
        steps(optimizer, params, [stop])
        steps(never, straight, [stop])
        assert_same_run(params, optimizer, straight, never)


@pytest.mark.grid
@each_dtype
@each_case
def test_save_load_and_go_on_with_arrays(case, dtype):
    straight = [normal(i, n, dtype) for i, n in enumerate(SIZES)]
    never = case.over(straight)
    for stop in range(STEPS):
        arrays = [p.copy() for p in straight]
        optimizer = case.over(arrays)
        optimizer.load_state_dict(copy.deepcopy(never.state_dict()))
        gradients = [normal(100 * stop + i, n, dtype) for i, n in enumerate(SIZES)]
        optimizer.step(gradients)
        never.step(gradients)
        for i, (p, q) in enumerate(zip(arrays, straight, strict=True)):
            assert_same_bits(p, q)
            for name, values in never.state[i].items():
                assert_same_bits(optimizer.state[i][name], values)


@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@each_case
def test_states_keep_the_dtype_that_they_were_saved_in(case, dtype):
    # torch casts every state to its parameter's dtype when it loads, which would round the f32 states.
    params = tensors(dtype)
    optimizer = case.over_tensors(params)
    steps(optimizer, params, range(2))
    saved = through_file(optimizer.state_dict())
    optimizer.load_state_dict(saved)
    for i, p in enumerate(params):
        for name, value in optimizer.state[p].items():
            assert value.dtype == saved["state"][i][name].dtype
            assert value.dtype == (torch.float64 if name in optimizer.exact_numbers else torch.float32)


@each_case
def test_loading_copies(case):
    # Trap: torch's load takes over the tensors, so that two optimizers share one state.
    params = tensors("f32")
    optimizer = case.over_tensors(params)
    steps(optimizer, params, range(2))
    saved = optimizer.state_dict()
    kept = copy.deepcopy(saved)
    twin = case.over_tensors([p.clone() for p in params])
    twin.load_state_dict(saved)
    steps(twin, twin.param_groups[0]["params"], range(2))
    for i, state in kept["state"].items():
        for name, value in state.items():
            assert torch.equal(value, saved["state"][i][name]), name


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda given: pickle.loads(pickle.dumps(given))])
@each_case
def test_copies_over_arrays_go_on_alike(case, copied):
    arrays = [normal(i, n) for i, n in enumerate(SIZES)]
    optimizer = case.over(arrays)
    optimizer.step([normal(10 + i, n) for i, n in enumerate(SIZES)])
    twin = copied(optimizer)
    twins = twin.param_groups[0]["params"]
    for each in (optimizer, twin):
        each.step([normal(20 + i, n) for i, n in enumerate(SIZES)])
    for p, q in zip(arrays, twins, strict=True):
        assert not np.shares_memory(p, q)
        assert_same_bits(p, q)


def test_a_state_dict_moves_between_tensors_and_arrays():
    case = next(case for case in CASES if case.name == "NAdam")
    params = tensors("bf16")
    optimizer = case.over_tensors(params)
    steps(optimizer, params, range(3))
    arrays = [to_numpy(p).copy() for p in params]
    over_arrays = case.over(arrays)
    saved = optimizer.state_dict()
    saved["state"] = {i: state_arrays(state) for i, state in saved["state"].items()}
    over_arrays.load_state_dict(saved)
    steps(optimizer, params, range(3, STEPS))
    for t in range(3, STEPS):
        over_arrays.step([normal(100 * t + i, n).astype(ml_dtypes.bfloat16) for i, n in enumerate(SIZES)])
    for p, array in zip(params, arrays, strict=True):
        assert_same_bits(to_numpy(p), array)
    assert isinstance(over_arrays.state[0]["step"], np.ndarray)
    assert over_arrays.state[0]["step"] == STEPS


def test_plain_numbers_of_old_checkpoints_are_taken():
    params, twins = tensors("f32"), tensors("f32")
    case = next(case for case in CASES if case.name == "Adam")
    optimizer, twin = case.over_tensors(params), case.over_tensors(twins)
    steps(optimizer, params, range(3))
    steps(twin, twins, range(3))
    saved = copy.deepcopy(optimizer.state_dict())
    for state in saved["state"].values():
        state["step"] = int(state["step"])
    optimizer.load_state_dict(saved)
    steps(optimizer, params, range(3, STEPS))
    steps(twin, twins, range(3, STEPS))
    assert_same_run(params, optimizer, twins, twin)
