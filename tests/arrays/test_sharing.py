"""Arrays that may share memory: a gradient and its parameter may; of any other two, neither may be written."""

import itertools
from contextlib import nullcontext

import numpy as np
import pytest

import gradstep
from support.arrays import DTYPES, assert_same_bits, normal, to_torch
from support.devices import device_named
from support.tolerances import SINGLE

SIZE = 8
PARTS = ("p", "g", "exp_avg", "exp_avg_sq", "ema", "cast")
ALL = [(part, index) for part in PARTS for index in (0, 1)]
WRITTEN_AND_ANY = [(a, b) for a, b in itertools.combinations(ALL, 2) if not (a[0] == "g" and b[0] == "g")]


def in_words(array):
    part, index = array
    if part == "p":
        return f"parameter {index}"
    return f"the gradient of parameter {index}" if part == "g" else f"the state '{part}' of parameter {index}"


def over_one_buffer(first, second):
    """All arrays of a step; the two named lie in one buffer and meet in its middle."""
    kinds = {array: np.float16 if array[0] == "cast" else np.float32 for array in ALL}
    arrays = {array: np.zeros(SIZE, kind) for array, kind in kinds.items()}
    buffer = np.zeros(16, np.float32)
    arrays[first] = buffer.view(kinds[first])[:SIZE]
    start = 2 * (arrays[first].nbytes // 4) // 3
    arrays[second] = buffer[start:].view(kinds[second])[:SIZE]
    return arrays, buffer


def numpy_step(arrays, **options):
    optimizer = gradstep.Adam([arrays["p", 0], arrays["p", 1]], lr=0.1, ema=0.9, cast_to="f16", **options)
    for (part, index), array in arrays.items():
        if part not in "pg":
            optimizer.state[index][part] = array
    optimizer.step([arrays["g", 0], arrays["g", 1]])


def torch_step(arrays, **options):
    import torch

    from gradstep import optim

    parameters = [to_torch(arrays["p", index]) for index in (0, 1)]
    optimizer = optim.Adam(parameters, lr=0.1, ema=0.9, cast_to="f16", **options)
    for (part, index), array in arrays.items():
        tensor = to_torch(array)
        if part == "g":
            parameters[index].grad = tensor
        elif part != "p":
            optimizer.state[parameters[index]][part] = tensor
    assert all(isinstance(p.grad, torch.Tensor) for p in parameters)
    optimizer.step()


def emulated_step(arrays, **options):
    device = device_named("emulated")
    with device.stepping():
        torch_step(arrays, **options)


STEPS = {"numpy": numpy_step, "torch": torch_step, "emulated": emulated_step}

each_way = pytest.mark.parametrize("way", STEPS)


@pytest.mark.parametrize(
    ("first", "second"), WRITTEN_AND_ANY, ids=lambda array: f"{array[0]}{array[1]}" if array else ""
)
@each_way
def test_two_arrays_of_a_step_share_memory(way, first, second):
    arrays, buffer = over_one_buffer(first, second)
    with pytest.raises(ValueError, match="share") as raised:
        STEPS[way](arrays)
    assert in_words(first) in str(raised.value)
    assert in_words(second) in str(raised.value)
    assert not buffer.any()
    assert not any(array.any() for array in arrays.values())


@each_way
def test_two_arrays_of_a_step_in_memory_of_their_own(way):
    arrays, _ = over_one_buffer(("g", 0), ("g", 1))  # which are only read
    arrays["g", 0][:] = 1
    arrays["g", 1][:] = 1
    STEPS[way](arrays)
    for index in (0, 1):
        np.testing.assert_allclose(arrays["p", index], -0.1, rtol=SINGLE)  # lr * sign(g), but for eps


@each_way
def test_zeroed_gradients_share_with_nothing(way):
    arrays, buffer = over_one_buffer(("g", 0), ("g", 1))
    message = (
        r"the gradient of parameter 0 shares memory with the gradient of parameter 1, so it can't be zeroed: pass a"
    )
    with pytest.raises(ValueError, match=message):
        STEPS[way](arrays, zero_grad=True)
    arrays, buffer = over_one_buffer(("p", 0), ("p", 1))
    arrays["p", 1] = np.zeros(SIZE, np.float32)
    arrays["g", 0] = arrays["p", 0]
    with pytest.raises(ValueError, match="the gradient of parameter 0 shares memory with parameter 0, so it can't be"):
        STEPS[way](arrays, zero_grad=True)
    assert not buffer.any()


def test_a_gradient_that_is_its_parameter_in_another_order():
    w = normal(0, (300, 300))
    before = w.copy()
    with pytest.raises(
        ValueError, match=r"the gradient of parameter 0 shares memory with parameter 0 in another order: pass a copy"
    ):
        gradstep.SGD([w], lr=0.5).step([w.T])
    assert_same_bits(w, before)


def test_gradients_that_are_each_others_parameters():
    x, y = np.array([1.0]), np.array([2.0])
    pairs = "0 shares memory with parameter 1|1 shares memory with parameter 0"
    with pytest.raises(ValueError, match=rf"the gradient of parameter ({pairs}): pass a copy"):
        gradstep.SGD([x, y], lr=0.5).step([y, x])
    assert [x[0], y[0]] == [1.0, 2.0]


def test_a_gradient_that_is_its_parameter_shifted():
    b = np.arange(300000, dtype="f4")
    with pytest.raises(ValueError, match="the gradient of parameter 0 shares memory with parameter 0 in another order"):
        gradstep.SGD([b[2:290002]], lr=0.25).step([b[:290000]])
    assert_same_bits(b, np.arange(300000, dtype="f4"))


@pytest.mark.parametrize("view", [lambda a: a, lambda a: a.T, lambda a: a[::-1, ::2], lambda a: a[:, :1]])
@pytest.mark.parametrize("dtype", DTYPES)
@each_way
def test_a_gradient_may_be_its_own_parameter(way, dtype, view):
    # p - p / 2, whatever the order of the elements; a power of two is exact in every dtype
    p = view(normal(0, (70, 70), dtype))
    expected = (p.astype("f8") / 2).astype(p.dtype)
    optimizer, stepping = over(way, p)
    with stepping:
        optimizer()
    assert_same_bits(np.ascontiguousarray(p), np.ascontiguousarray(expected))


def over(way, p):
    if way == "numpy":
        return lambda: gradstep.SGD([p], lr=0.5).step([p]), nullcontext()
    pytest.importorskip("torch")
    from gradstep import optim

    if any(stride < 0 for stride in p.strides):
        pytest.skip("torch has no negative strides")
    parameter = to_torch(p)
    parameter.grad = parameter.detach()
    stepping = device_named("emulated").stepping() if way == "emulated" else nullcontext()
    return optim.SGD([parameter], lr=0.5).step, stepping


def test_gradients_that_are_only_read_may_share_and_repeat():
    p, q, g = np.zeros(4), np.zeros(4), np.ones(1)
    gradients = [np.broadcast_to(g, (4,)), np.broadcast_to(g, (4,))]
    optimizer = gradstep.SGD([p, q], lr=1.0)
    optimizer.step(gradients)
    optimizer.step([gradients[0], gradients[0]])
    np.testing.assert_array_equal([p, q], np.full((2, 4), -2.0))


def test_a_gradient_that_moves_onto_an_array_of_the_step_is_noticed():
    p, q, g = np.zeros((3, 3)), np.ones((3, 3)), np.ones((3, 3))
    optimizer = gradstep.Adam([p, q], lr=1.0)
    optimizer.step([g, g])
    for wrong, name in (
        (q, "parameter 1"),
        (p.T, "parameter 0"),
        (optimizer.state[1]["exp_avg"], "the state 'exp_avg'"),
    ):
        before = [p.copy(), q.copy()]
        for _ in range(2):
            with pytest.raises(ValueError, match=f"the gradient of parameter 0 shares memory with {name}"):
                optimizer.step([wrong, g])
        np.testing.assert_array_equal([p, q], before)
        optimizer.step([g.copy(), g])


def test_the_memory_of_a_tensor_that_rests_may_have_been_given_to_another():
    torch = pytest.importorskip("torch")
    from gradstep import optim

    p, q = torch.zeros(4), torch.zeros(4)
    optimizer = optim.SGD([p, q], lr=1.0)
    p.grad, q.grad = torch.ones(4), torch.ones(4)
    optimizer.step()
    freed = q.data
    q.grad, q.data = None, torch.zeros(4)
    p.data = freed
    optimizer.step()
    assert p.tolist() == [-2.0] * 4
    p.grad, q.grad, q.data = None, torch.ones(4), freed[:]
    optimizer.step()
    p.grad = torch.ones(4)
    with pytest.raises(ValueError, match="parameter 0 and parameter 1 share memory"):
        optimizer.step()


def test_numbers_of_states_share_with_one_another_alone():
    p, q = np.zeros(3), np.zeros(3)
    optimizer = gradstep.Adam([p, q], lr=1.0)
    step = np.zeros(())
    for state in optimizer.state:
        state["step"] = step
    optimizer.step([np.ones(3), np.ones(3)])
    assert step == 1
    before = [p.copy(), q.copy()]
    optimizer.state[0]["step"] = optimizer.state[1]["exp_avg"][1:2].reshape(())
    with pytest.raises(
        ValueError, match="the state 'step' of parameter 0 shares memory with the state 'exp_avg' of para"
    ):
        optimizer.step([np.ones(3), np.ones(3)])
    np.testing.assert_array_equal([p, q], before)


def test_values_of_rows_share_with_no_parameter():
    table = np.zeros((4, 2))
    optimizer = gradstep.SGD([table], lr=1.0)
    for _ in range(2):
        with pytest.raises(
            ValueError, match="the gradient of parameter 0 shares memory with parameter 0 in another ord"
        ):
            optimizer.step([gradstep.Rows(np.array([2, 0]), table[:2])])
    values = np.ones((1, 2))
    optimizer.step([gradstep.Rows(np.array([2, 0]), np.broadcast_to(values, (2, 2)))])
    np.testing.assert_array_equal(table[:, 0], [-1, 0, -1, 0])


@pytest.mark.parametrize("call", ["unscale_", "clip_norm_", "clip_value_", "zero_"])
def test_gradients_of_calls_that_write_them(call):
    b = np.ones(12)
    arguments = [] if call == "zero_" else [2.0]
    with pytest.raises(ValueError, match="gradient 0 and gradient 2 share memory: pass each element once"):
        getattr(gradstep.functional, call)([b[:6], None, b[5:]], *arguments)
    np.testing.assert_array_equal(b, 1)
    assert gradstep.functional.norm([b, b[:6]]) == np.sqrt(18)  # they are only read


def test_averages_and_copies_apart_from_a_step():
    b, p = np.ones(12), np.zeros(6)
    message = "the average of parameter 0 and parameter 1 share memory"
    with pytest.raises(ValueError, match=message):
        gradstep.functional.average_([b[:6], np.ones(6)], [p, b[5:11]], 0.5)
    with pytest.raises(ValueError, match="the copy of parameter 0 and the copy of parameter 1 share memory"):
        gradstep.functional.cast_([b[:6], b[5:11]], [p, p])
    product = b[3:4]
    with pytest.raises(ValueError, match="the average of parameter 0 and product share memory"):
        gradstep.functional.average_([b[:6]], [p], 0.5, product)
    np.testing.assert_array_equal(b, 1)
    averages = [np.ones(6), np.ones(6)]
    gradstep.functional.average_(averages, [p, np.broadcast_to(p[:1], (6,))], 0.5)  # parameters are only read
    np.testing.assert_array_equal(averages, np.full((2, 6), 0.5))


def test_the_arrays_of_a_functional_update():
    b = np.zeros(12)
    arrays = {"g": np.ones(6), "m": np.zeros(6), "v": np.zeros(6)}
    for name, found in (("g", "the gradient of parameter 0"), ("m", "the state "), ("v", "the state ")):
        arguments = [b[4:10] if name == each else array for each, array in arrays.items()]
        with pytest.raises(ValueError, match=f"{found}.* shares memory with parameter 0"):
            gradstep.functional.adam_(b[:6], *arguments, step=1, lr=0.1)
        assert not b.any()


def test_a_thousand_states_share_their_numbers():
    arrays = [np.ones(2, np.float32) for _ in range(1000)]
    optimizer = gradstep.Prodigy([{"params": [array]} for array in arrays])
    for _ in range(2):
        optimizer.step([np.ones(2, np.float32)] * 1000)
    assert all(state["d"] is optimizer.state[0]["d"] for state in optimizer.state)
    assert float(optimizer.state[0]["step"]) == 2
