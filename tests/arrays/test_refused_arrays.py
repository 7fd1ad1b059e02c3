"""Wrong arrays raise an error that says what was given and what to do, before anything is written."""

import copy

import ml_dtypes
import numpy as np
import pytest

import gradstep
from support.arrays import assert_same_bits, normal, state_arrays, to_numpy, to_torch

MOMENTA = {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.05}


def everything(optimizer, arrays):
    """Everything that a step could write: parameters, states with their times, and groups."""
    states = list(optimizer.state.values() if isinstance(optimizer.state, dict) else optimizer.state)
    groups = [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]
    kept = [a.copy() if isinstance(a, np.ndarray) else a.detach().clone() for a in arrays]
    return copy.deepcopy((kept, states, groups))


def assert_unchanged(optimizer, arrays, before):
    kept, states, groups = everything(optimizer, arrays)
    assert groups == before[2]
    for now, then in zip(kept, before[0], strict=True):
        as_array = (lambda a: a) if isinstance(now, np.ndarray) else to_numpy
        assert_same_bits(as_array(now), as_array(then))
    for now, then in zip(states, before[1], strict=True):
        assert set(now) == set(then)
        for name, values in state_arrays(now).items():
            assert_same_bits(values, state_arrays(then)[name])


# Each makes an array of four numbers that can't be a parameter, and the words that its refusal must have.
def overlapping_itself():
    return np.lib.stride_tricks.as_strided(normal(0, 4), (2, 2), (4, 4))


def read_only():
    array = normal(0, (2, 2))
    array.flags.writeable = False
    return array


BAD_PARAMETERS = {
    "read-only": (read_only, r"is read-only: pass an array that can be written in place"),
    "expanded": (lambda: np.broadcast_to(normal(0, 2), (2, 2)), r"is read-only"),
    "overlapping itself": (overlapping_itself, r"overlaps itself \(an expanded or sliding view\): pass"),
    "long complex": (lambda: np.ones((2, 2), np.clongdouble), r"has dtype complex\d+: allowed are float64"),
    "integer": (lambda: np.ones((2, 2), np.int32), r"has dtype int32: allowed are .* \.astype"),
    "boolean": (lambda: np.ones((2, 2), bool), r"has dtype bool: allowed"),
    "longdouble": (lambda: np.ones((2, 2), np.longdouble), r"has dtype \w+: allowed"),
    "8-bit": (lambda: np.ones((2, 2), ml_dtypes.float8_e4m3fn), r"has dtype float8_e4m3fn: allowed"),
    "objects": (lambda: np.full((2, 2), 1.0, object), r"has dtype object: allowed"),
    "records": (lambda: np.zeros((2, 2), np.dtype([("x", "f4")])), r"has dtype .*: allowed"),
    "byte-swapped": (lambda: normal(0, (2, 2)).astype(">f4"), r"byte-swapped dtype >f4: convert it with"),
    "list": (lambda: [[1.0, 2.0], [3.0, 4.0]], r"is a list, .* pass an array"),
    "number": (lambda: 1.0, r"is a float, which can't be used in place"),
    "scalar": (lambda: np.float32(1.0), r"is a float32, which can't be used in place"),
    "string": (lambda: "weights", r"offers neither DLPack nor the buffer protocol"),
    "nothing": (lambda: None, r"offers neither DLPack nor the buffer protocol"),
    "masked": (
        lambda: np.ma.masked_array(normal(0, (2, 2)), [[True, False], [False, False]]),
        r"is a masked array, and ",
    ),
    "nothing masked": (
        lambda: np.ma.masked_array(normal(0, (2, 2))),
        r"masks are not supported: pass \.filled",
    ),
    "bytes": (lambda: memoryview(b"abcd"), r"has dtype uint8: allowed"),
}
BAD_GRADIENTS = {
    key: value
    for key, value in BAD_PARAMETERS.items()
    if key not in ("read-only", "expanded", "overlapping itself", "nothing")
}


@pytest.mark.parametrize("kind", BAD_PARAMETERS)
def test_a_parameter_is_refused_by_the_constructor(kind):
    make, message = BAD_PARAMETERS[kind]
    with pytest.raises((TypeError, ValueError), match=rf"^parameter 1 .*{message}"):
        gradstep.Adam([normal(0, 3), make(), normal(1, 4)])
    optimizer = gradstep.Adam([normal(0, 3)])
    with pytest.raises((TypeError, ValueError), match=rf"^parameter 2 .*{message}"):
        optimizer.add_param_group({"params": [normal(0, 3), make()]})
    assert len(optimizer.param_groups) == len(optimizer.state) == 1
    optimizer.step([normal(1, 3)])


@pytest.mark.parametrize("kind", BAD_GRADIENTS)
def test_a_gradient_is_refused_by_the_step(kind):
    make, message = BAD_GRADIENTS[kind]
    arrays = [normal(0, 3), normal(1, (2, 2)), normal(2, 5)]
    optimizer = gradstep.Adam(arrays, **MOMENTA)
    optimizer.step([normal(3, 3), normal(4, (2, 2)), normal(5, 5)])
    before = everything(optimizer, arrays)
    for _ in range(2):
        with pytest.raises((TypeError, ValueError), match=rf"^the gradient of parameter 1 .*{message}"):
            optimizer.step([normal(3, 3), make(), normal(5, 5)])
        assert_unchanged(optimizer, arrays, before)
    # and the optimizer goes on as if nothing had been
    twins = copy.deepcopy(before[0])
    twin = gradstep.Adam(twins, **MOMENTA)
    twin.load_state_dict(optimizer.state_dict())
    for each in (optimizer, twin):
        each.step([normal(6, 3), normal(7, (2, 2)), normal(8, 5)])
    for a, b in zip(arrays, twins, strict=True):
        assert_same_bits(a, b)


@pytest.mark.parametrize("shape", [(3, 2), (6,), (2, 3, 1), (), (2, 4)])
def test_shapes_must_be_equal(shape):
    arrays = [normal(0, 3), normal(1, (2, 3))]
    optimizer = gradstep.Adam(arrays, **MOMENTA)
    before = everything(optimizer, arrays)
    message = r"the gradient of parameter 1 has shape \(.*\), but the parameter has shape \(2, 3\): they"
    for _ in range(2):  # without states, and with
        with pytest.raises(ValueError, match=message):
            optimizer.step([normal(2, 3), np.asarray(normal(3, shape))])
        assert_unchanged(optimizer, arrays, before)
        optimizer.step([normal(2, 3), normal(3, (2, 3))])
        before = everything(optimizer, arrays)


SHARING = {
    "twice": lambda memory: [memory, memory],
    "equal views": lambda memory: [memory[:], memory[:]],
    "halves that meet": lambda memory: [memory[:11], memory[10:]],
    "reversed": lambda memory: [memory[:6], memory[5::-1]],
    "one within": lambda memory: [memory[3:4], memory],
    "strides that meet": lambda memory: [memory[::2], memory[::3]],
    "other dtypes": lambda memory: [memory[:4], memory[2:8].view(np.float64)],
    "apart by half an element": lambda memory: [memory[:4], memory.view(np.uint8)[14:30].view(np.float32)],
}


@pytest.mark.parametrize("kind", SHARING)
def test_parameters_may_not_share_memory(kind):
    shared = SHARING[kind](normal(0, 20))
    with pytest.raises(ValueError, match=r"parameter 1 and parameter 2 share memory: pass each element once"):
        gradstep.SGD([normal(1, 3), *shared])
    with pytest.raises(ValueError, match="share memory"):
        gradstep.SGD([{"params": shared[0]}, {"params": shared[1:]}])


def test_empty_and_missing_lists():
    message = "empty parameter list: pass the arrays to update"
    for empty in ([], iter(()), [{"params": []}], [{"params": [normal(0, 1)]}, {"params": []}]):
        with pytest.raises(ValueError, match=message):
            gradstep.Adam(empty)
    with pytest.raises(TypeError, match=r"params is one ndarray: pass a list of arrays, such as \[w, b\]"):
        gradstep.Adam(normal(0, 3))
    arrays = [normal(0, 3), normal(1, 3)]
    optimizer = gradstep.Adam(arrays)
    for given in ([], [normal(2, 3)], [normal(2, 3)] * 3):
        with pytest.raises(ValueError, match=f"step got {len(given)} gradients for 2 parameters: pass one"):
            optimizer.step(given)


@pytest.mark.parametrize("change", ["shape", "integer", "read-only", "masked", "number"])
def test_states_that_a_user_has_spoilt(change):
    arrays = [normal(0, 3), normal(1, (2, 3))]
    optimizer = gradstep.Adam(arrays, **MOMENTA)
    gradients = [normal(2, 3), normal(3, (2, 3))]
    optimizer.step(gradients)
    state = optimizer.state[1]
    if change == "shape":
        state["exp_avg_sq"] = np.zeros((3, 2), np.float32)
        message = r"the state 'exp_avg_sq' of parameter 1 has shape \(3, 2\), but the parameter has shape"
    elif change == "integer":
        state["exp_avg_sq"] = np.zeros((2, 3), np.int64)
        message = r"a state of parameter 1 has dtype int64: allowed are"
    elif change == "read-only":
        state["exp_avg_sq"] = state["exp_avg_sq"].copy()
        state["exp_avg_sq"].flags.writeable = False
        message = r"the state 'exp_avg_sq' of parameter 1 is read-only"
    elif change == "masked":
        state["exp_avg_sq"] = np.ma.masked_array(state["exp_avg_sq"], True)
        message = r"a state of parameter 1 is a masked array, and masks are not supported"
    else:
        state["step"] = np.zeros(2, np.float32)
        message = r"the state 'step' of parameter 1 must be a writable array of one float32 or float64"
    before = everything(optimizer, arrays)
    for _ in range(2):
        with pytest.raises((TypeError, ValueError), match=message):
            optimizer.step(gradients)
        assert_unchanged(optimizer, arrays, before)


def test_a_state_dict_of_other_shapes_or_groups():
    def stepped(*shapes):
        arrays = [normal(i, shape) for i, shape in enumerate(shapes)]
        optimizer = gradstep.Adam(arrays, **MOMENTA)
        optimizer.step([normal(9, shape) for shape in shapes])
        return optimizer, arrays

    optimizer, arrays = stepped((3,), (2, 3))
    before = everything(optimizer, arrays)
    message = (
        r"the state 'exp_avg' of parameter 1 has shape \(3, 2\), but the parameter has shape \(2, 3\): "
        "load a state_dict of the same arrays"
    )
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(stepped((3,), (3, 2))[0].state_dict())
    with pytest.raises(ValueError, match="loaded state dict has other parameter groups"):
        optimizer.load_state_dict(stepped((3,))[0].state_dict())
    spoilt = copy.deepcopy(optimizer.state_dict())
    spoilt["param_groups"][0]["lr"] = float("nan")
    with pytest.raises(ValueError, match="Invalid learning rate: nan"):
        optimizer.load_state_dict(spoilt)
    assert_unchanged(optimizer, arrays, before)

    torch = pytest.importorskip("torch")
    from gradstep import optim

    tensors = [to_torch(a.copy()) for a in arrays]
    over_tensors = optim.Adam(tensors, **MOMENTA)
    for t in tensors:
        t.grad = torch.ones_like(t)
    over_tensors.step()
    before = everything(over_tensors, tensors)
    saved = copy.deepcopy(over_tensors.state_dict())
    saved["state"][1]["exp_avg"] = saved["state"][1]["exp_avg"].T
    with pytest.raises(ValueError, match=message.replace("arrays", "model")):
        over_tensors.load_state_dict(saved)
    assert_unchanged(over_tensors, tensors, before)
