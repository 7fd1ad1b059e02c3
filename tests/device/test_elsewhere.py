"""Arrays on other devices than the optimizer's are refused before anything is written."""

import numpy as np
import pytest
import torch

import gradstep
from gradstep import functional, optim
from gradstep.interop import devices
from support.devices import device_named
from support.twins import normals


class OnCuda:
    """The interface of CuPy's arrays, over memory that must not be touched."""

    def __init__(self, shape=(3,), dtype=np.float32, number=0):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.strides = np.empty(shape, dtype).strides
        self.device = type("Device", (), {"id": number})()
        self.__cuda_array_interface__ = {"data": (4096 * (number + 1), False), "shape": shape, "version": 3}


@pytest.fixture
def no_engine(monkeypatch):
    monkeypatch.setitem(devices._ENGINES, 2, "gradstep._not_built")


def test_a_build_without_the_engine(no_engine):
    optimizer = gradstep.SGD([OnCuda()], lr=0.1)
    message = r"are on cuda:0, and this installation .* has no engine for CUDA .*=cmake\.define\.GRADSTEP_CUDA=ON"
    for _ in range(2):
        with pytest.raises(RuntimeError, match=message):
            optimizer.step([OnCuda()])


def test_several_devices_in_one_optimizer():
    message = r"^parameter 1 is on cuda:1, but parameter 0 is on cuda:0: .* make one for each$"
    with pytest.raises(TypeError, match=message):
        gradstep.SGD([OnCuda(), OnCuda(number=1)], lr=0.1)
    with pytest.raises(TypeError, match=r"^parameter 1 is on cuda:0, but parameter 0 is on the CPU: .* one for each$"):
        gradstep.SGD([np.ones(3, np.float32), OnCuda()], lr=0.1)


def test_gradients_of_another_device():
    w = [np.ones(3, np.float32), np.ones(3, np.float32)]
    optimizer = gradstep.SGD(w, lr=0.1)
    message = (
        r"^the gradient of parameter 1 is on cuda:0, but this optimizer steps arrays on the CPU: move it there, or "
        r"make an optimizer of what is on cuda:0$"
    )
    with pytest.raises(TypeError, match=message):
        optimizer.step([np.ones(3, np.float32), OnCuda()])
    np.testing.assert_array_equal(w[0], 1)


@pytest.mark.parametrize(
    "call",
    [
        lambda array: functional.norm([array]),
        lambda array: functional.unscale_([array], 2.0),
        lambda array: functional.clip_norm_([array], 1.0),
        lambda array: functional.clip_value_([array], 1.0),
        lambda array: functional.zero_([array]),
    ],
)
def test_standalone_functions_without_the_engine(no_engine, call):
    with pytest.raises(RuntimeError, match=r"are on cuda:0, and this installation .* has no engine for CUDA"):
        call(OnCuda())


def test_standalone_functions_over_several_places():
    g = np.ones(3, np.float32)
    with pytest.raises(
        TypeError, match=r"^gradient 1 is on cuda:0, and the first array on the CPU: make a call for each place$"
    ):
        functional.zero_([g, OnCuda()])
    with pytest.raises(TypeError, match=r"^parameter 0 is on cuda:0, and the first array on the CPU: make a call"):
        functional.cast_(np.zeros(3, np.float16), OnCuda())
    with pytest.raises(TypeError, match=r"^product is on cuda:0, and the first array on the CPU: make a call"):
        functional.average_(g, g.copy(), 0.5, OnCuda((), np.float64))
    np.testing.assert_array_equal(g, 1)


def test_states_of_another_device():
    w = [np.ones(3, np.float32)]
    optimizer = gradstep.SGD(w, lr=0.1, momentum=0.5)
    optimizer.step([np.ones(3, np.float32)])
    before = w[0].copy()
    optimizer.state[0]["momentum_buffer"] = OnCuda()
    with pytest.raises(
        TypeError, match=r"^a state of parameter 0 is on cuda:0, but this optimizer steps .* on the CPU"
    ):
        optimizer.step([np.ones(3, np.float32)])
    np.testing.assert_array_equal(w[0], before)


def test_dtypes_that_are_not_updated_there():
    with pytest.raises(TypeError, match=r"^parameter 0 has dtype int32: allowed are float64, .* convert it with"):
        gradstep.SGD([OnCuda(dtype=np.int32)], lr=0.1)


def test_parameters_that_can_not_be_read_and_have_no_gradient(device):
    w = device.put(np.ones(3, np.float32))
    whole = torch.ones(3, dtype=torch.int8, device=w.device)
    optimizer = optim.SGD([whole, w], lr=0.5)
    w.grad = torch.ones_like(w)
    with device.stepping():
        optimizer.step()
    np.testing.assert_array_equal(device.get(w), 0.5)


@pytest.mark.parametrize("lazy", [False, True])
def test_sparse_gradients(device, lazy):
    w = device.put(np.ones((4, 2), np.float32))
    optimizer = optim.SGD([w], lr=0.5, lazy_rows=lazy)
    rows, values = torch.tensor([[1]], device=w.device), torch.ones((1, 2), device=w.device)
    w.grad = torch.sparse_coo_tensor(rows, values, (4, 2), check_invariants=True)
    with device.stepping(), pytest.raises(TypeError, match=r"^the gradient of parameter 0 is sparse .* \.to_dense\(\)"):
        optimizer.step()
    np.testing.assert_array_equal(device.get(w), 1)


@pytest.mark.parametrize("strange", ["parameter", "gradient"])
def test_numbers_that_a_device_can_not_read_where_they_lie(strange):
    device = device_named("emulated")  # no library makes such arrays on a GPU
    shifted = np.frombuffer(bytearray(4 * 3 + 1), np.float32, offset=1)
    w, g = (shifted if role == strange else np.ones(3, np.float32) for role in ("parameter", "gradient"))
    before = w.copy()
    optimizer = gradstep.SGD([w], lr=0.5)
    with (
        device.stepping(),
        pytest.raises(ValueError, match=rf"{strange}.* 0 does not lie at a multiple of its numbers' si"),
    ):
        optimizer.step([g])
    np.testing.assert_array_equal(w, before)


@pytest.mark.parametrize("strange", ["parameter", "gradient"])
def test_more_dimensions_than_a_device_takes(device, strange):
    sizes = (3,) * 9
    straight, gaps = (device.put(values.reshape(sizes)) for values in normals(0, [3**9, 3**9]))
    gaps = torch.empty((6,) * 9, dtype=torch.float32, device=gaps.device)[(slice(None, None, 2),) * 9].copy_(gaps)
    w, g = (gaps, straight) if strange == "parameter" else (straight, gaps)
    before = device.get(w.contiguous())
    optimizer = optim.SGD([w], lr=0.5)
    w.grad = g
    role = "parameter" if strange == "parameter" else "the gradient of parameter"
    message = rf"^{role} 0 has 9 dimensions that do not lie together, and a device takes 8: pass a contiguous copy$"
    for _ in range(2):
        with device.stepping(), pytest.raises(ValueError, match=message):
            optimizer.step()
    np.testing.assert_array_equal(device.get(w.contiguous()), before)


def test_found_infinities_of_any_kind(device):
    for found in (True, 1.0, np.float32(1), torch.tensor(1.0), torch.tensor([2.0], dtype=torch.float64)):
        w = device.put(np.ones(3, np.float32))
        optimizer = optim.SGD([w], lr=0.5)
        optimizer.found_inf, w.grad = found, torch.ones_like(w)
        with device.stepping():
            optimizer.step()
        np.testing.assert_array_equal(device.get(w), 1, err_msg=repr(found))


def test_optimizers_over_arrays(device):
    options = {"betas": (0.8, 0.9), "eps": 1e-3, "ema": 0.5, "cast_to": "f16", "lr": gradstep.Linear(0.3, 0.1, 5)}
    starts, gradients = normals(0, (5, 4097)), [normals(t, (5, 4097)) for t in (1, 2, 3)]
    expected = [start.copy() for start in starts]
    reference = gradstep.Adam(expected, **options)
    found = [device.put(start) for start in starts]
    optimizer = gradstep.Adam(found, **options)
    for given in gradients[:2]:
        reference.step(given)
        with device.stepping():
            optimizer.step([device.put(each) for each in given])
    resumed = gradstep.Adam(found, **options)
    resumed.load_state_dict(optimizer.state_dict())
    reference.step(gradients[2])
    with device.stepping():
        resumed.step([device.put(each) for each in gradients[2]])
    for array, values in zip(found, expected, strict=True):
        np.testing.assert_array_equal(device.get(array), values)
    for state, of_reference in zip(resumed.state, reference.state, strict=True):
        for name, values in of_reference.items():
            np.testing.assert_array_equal(torch.as_tensor(state[name]).cpu().numpy(), values, err_msg=name)


def test_bare_kernels(device):
    p, g, m, v = normals(0, (33, 33, 33, 33))
    v = np.abs(v)
    found = [device.put(each) for each in (p, g, m, v)]
    arguments = {"step": 3, "lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.2}
    functional.adamw_(p, g, m, v, **arguments)
    with device.stepping():
        functional.adamw_(*found, **arguments)
    for array, values in zip(found, (p, g, m, v), strict=True):
        np.testing.assert_array_equal(device.get(array), values)
