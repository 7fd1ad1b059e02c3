"""Every rule, in every dtype and layout, has the same results on a device as on the CPU."""

import numpy as np
import pytest

from gradstep import optim
from support.arrays import numbers_for
from support.cases import ALL_CASES, CASES, ONE_EACH
from support.twins import VIEWS, Twins, kinds, normals

STEPS = 3
#: of each thread's own path: nothing, one element, less than a wide access, several blocks of threads
FEW = (0, 1, 5, 1027)

each_rule = pytest.mark.parametrize("case", ONE_EACH, ids=lambda case: case.kernel)


def same_steps(twins, sizes, dtype="f32", steps=STEPS):
    for t in range(1, steps + 1):
        twins.take(normals(t, sizes, dtype))
        twins.step()
        twins.assert_same()


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_rule(device, case, dtype):
    same_steps(Twins(device, case.over_tensors, normals(0, device.sizes, dtype)), device.sizes, dtype)


@pytest.mark.parametrize("case", [case for case in ALL_CASES if not case.hyper], ids=str)
def test_defaults(device, case):
    same_steps(Twins(device, case.over_tensors, normals(0, FEW)), FEW)


@pytest.mark.parametrize("case", [case for case in ONE_EACH if case.kernel in ("adam", "lamb", "prodigy")], ids=str)
def test_more_blocks_than_run_at_once(device, case):
    twins = Twins(device, lambda p: case.over_tensors(p, clip_norm=0.7, stats=True), normals(0, [device.large]))
    for t in (1, 2):
        twins.take(normals(t, [device.large]))
        twins.step()
        twins.assert_same()
        assert twins.found.stats() == twins.expected.stats()


@pytest.mark.grid
@pytest.mark.parametrize(("dtype", "of_gradients", "state_dtype"), kinds())
@each_rule
def test_every_dtype(device, case, dtype, of_gradients, state_dtype):
    twins = Twins(device, lambda p: case.over_tensors(p, state_dtype=state_dtype), normals(0, FEW, dtype))
    same_steps(twins, FEW, of_gradients)


@pytest.mark.parametrize("layout", VIEWS)
@pytest.mark.parametrize("case", [case for case in ONE_EACH if case.kernel in ("adam", "lamb", "sgd")], ids=str)
def test_complex_parameters(device, case, layout):
    def complex_normals(seed):
        return [pair.view(np.complex64) for pair in normals(seed, (10, 2050, 8200))]

    twins = Twins(device, lambda p: case.over_tensors(p, clip_norm=0.7, ema=0.9), complex_normals(0), VIEWS[layout])
    for t in (1, 2):
        twins.take(complex_normals(t))
        twins.step()
        twins.assert_same()


@pytest.mark.grid
@pytest.mark.parametrize("dtype", ["f64", "f32", "f16"])
@pytest.mark.parametrize("layout", VIEWS)
@each_rule
def test_every_layout(device, case, layout, dtype):
    sizes = (5, 1025, 4100)
    same_steps(Twins(device, case.over_tensors, normals(0, sizes, dtype), VIEWS[layout]), sizes, dtype, steps=2)


@pytest.mark.grid
@pytest.mark.parametrize("dtype", ["f64", "f32", "f16", "bf16"])
@each_rule
def test_awkward_numbers(device, case, dtype):
    def numbers(t):
        return [numbers_for(case, t, 3000, dtype)]

    twins = Twins(device, case.over_tensors, numbers(0))
    for t in range(1, STEPS + 1):
        twins.take(numbers(t))
        twins.step()
        twins.assert_same()


@each_rule
def test_dtypes_side_by_side_and_gradients_left_out(device, case):
    sizes = {"f16": 5, "f64": 4099, "bf16": 33, "f32": 70}

    def numbers(t):
        return [normals(t, [n], dtype)[0] for dtype, n in sizes.items()]

    twins = Twins(device, case.over_tensors, numbers(0))
    for t in range(1, 5):
        gradients = numbers(t)
        gradients[t % 4] = None
        twins.take(gradients)
        twins.step()
        twins.assert_same()


def test_states_of_two_types(device):
    """Someone has replaced one: packs of a tensor's states are of one type, and its elements then go one by one."""
    twins = Twins(device, lambda tensors: optim.AdamW(tensors, lr=0.1, eps=1e-3), normals(0, (1, 33, 4097)))
    for t in range(1, 4):
        twins.take(normals(t, (1, 33, 4097)))
        twins.step()
        twins.assert_same()
        for optimizer, tensors in ((twins.expected, twins.host), (twins.found, twins.there)):
            for p in tensors:
                optimizer.state[p]["exp_avg"] = optimizer.state[p]["exp_avg"].bfloat16()
