"""The standalone functions have the bits of the CPU on a device."""

import numpy as np
import pytest
import torch

from gradstep.functional import average_, cast_, clip_norm_, clip_value_, norm, unscale_, zero_
from support.arrays import DTYPES, assert_same_bits, to_numpy, to_torch
from support.tolerances import TENS_OF_ULP
from support.twins import VIEWS, normals

SIZES = (5, 35, 4100, 40_005)
#: the arguments of each call besides the gradients
CALLS = {
    "unscale": lambda g: unscale_(g, 3.0),
    "norm": norm,
    "clip": lambda g: clip_norm_(g, 0.7),
    "clip-by-another": lambda g: clip_norm_(g, 0.7, 1.5),
    "clip-nothing": lambda g: clip_norm_(g, 1e9),
    "limit": lambda g: clip_value_(g, 0.5),
    "zero": zero_,
}

each_dtype = pytest.mark.parametrize("dtype", [*DTYPES, "mixed"])
each_layout = pytest.mark.parametrize("layout", VIEWS)


def numbers(t, dtype):
    if dtype != "mixed":
        return normals(t, SIZES, dtype)
    return [normals(t, [n], each)[0] for n, each in zip(SIZES, DTYPES, strict=True)]


def twins(device, arrays, layout):
    """The arrays on the CPU, and on the device."""
    view = VIEWS[layout]
    return [view(to_torch(each.copy())) for each in arrays], [view(device.put(each)) for each in arrays]


def assert_all_same(device, found, expected):
    for a, b in zip(found, expected, strict=True):
        assert_same_bits(device.get(a), to_numpy(b))


@pytest.mark.grid
@each_layout
@each_dtype
@pytest.mark.parametrize("call", CALLS)
def test_gradients(device, call, dtype, layout):
    host, there = twins(device, numbers(1, dtype), layout)
    expected = CALLS[call](host)
    with device.stepping():
        found = CALLS[call]([there[0], None, *there[1:]])
    assert found == expected
    assert_all_same(device, there, host)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_that_are_not_finite(device, dtype):
    for bad in (np.nan, np.inf):
        arrays = normals(1, SIZES, "f32")
        arrays[2][7] = bad
        host, there = (
            [each.to(to_torch(normals(1, [1], dtype)[0]).dtype) for each in side]
            for side in twins(device, arrays, "straight")
        )
        for call in ("unscale", "clip", "limit"):
            expected = CALLS[call](host)
            with device.stepping():
                found = CALLS[call](there)
            np.testing.assert_equal(found, expected)
            assert_all_same(device, there, host)


@each_layout
@each_dtype
@pytest.mark.parametrize("corrected", [None, "f32", "f64"])
def test_averages(device, dtype, layout, corrected):
    host, there = twins(device, numbers(1, dtype), layout)
    averages = twins(device, numbers(2, dtype), layout)
    product = None if corrected is None else np.array(1.0, DTYPES[corrected])
    products = [product if product is None else put(product) for put in (to_torch, device.put)]
    for decay in (0.25, 0.75):
        average_(averages[0], host, decay, products[0])
        with device.stepping():
            average_(averages[1], there, decay, products[1])
    assert_all_same(device, averages[1], averages[0])
    if corrected:
        assert_same_bits(device.get(products[1]), to_numpy(products[0]))


@each_layout
@pytest.mark.parametrize("to", ["bf16", "f16", "f32"])
@each_dtype
def test_copies(device, dtype, to, layout):
    host, there = twins(device, numbers(1, dtype), layout)
    copies = twins(device, normals(2, SIZES, to), layout)
    cast_(copies[0], host)
    with device.stepping():
        cast_(copies[1], there)
    assert_all_same(device, copies[1], copies[0])


def test_nothing_to_do(device):
    with device.stepping():
        assert norm([]) == norm([None]) == 0.0
        assert norm([device.put(np.zeros(0, np.float32))]) == 0.0
        assert not unscale_([device.put(np.zeros((3, 0)))], 2.0)


def test_autograd_notices(device):
    gradients = [device.put(each) for each in normals(1, SIZES)]
    before = [each._version for each in gradients]
    with device.stepping():
        clip_value_(gradients, 0.5)
    assert all(each._version > was for each, was in zip(gradients, before, strict=True))


def test_a_capture_is_refused(device):
    gradient = device.put(np.ones(3, np.float32))

    def call():
        with (
            device.stepping(),
            pytest.raises(RuntimeError, match=r"can't be captured .* ask an optimizer for the same"),
        ):
            zero_([gradient])

    device.capture(call)
    assert torch.all(gradient == 1)


def test_squares_that_overflow(device):
    here, there = twins(device, [np.array([3e200, -4e200]), np.array([1e154, 2.0])], "straight")
    with device.stepping():
        assert norm(there) == pytest.approx(5e200, rel=TENS_OF_ULP)
        assert clip_norm_(there, 10.0) == clip_norm_(here, 10.0)
    assert_all_same(device, there, here)
