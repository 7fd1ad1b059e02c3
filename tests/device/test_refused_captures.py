"""Operations that a graph could not replay are refused during the capture, with errors that say what to do."""

import copy

import numpy as np
import pytest

from gradstep import CosineDecay, optim
from support.twins import normals

SIZES = (33, 4097)


def on(device, **options):
    """An optimizer, its parameters and a step with the gradients that these are given."""
    parameters = [device.put(start) for start in normals(0, SIZES)]
    optimizer = optim.AdamW(parameters, lr=0.1, **options)
    give(device, parameters, 1)
    return optimizer, parameters


def give(device, parameters, t):
    for parameter, gradient in zip(parameters, normals(t, SIZES), strict=True):
        parameter.grad = device.put(gradient)


def step(device, optimizer):
    with device.stepping():
        optimizer.step()


def test_a_capture_before_the_states_exist(device):
    optimizer, _ = on(device)
    with pytest.raises(RuntimeError, match=r"states and tables are not made yet .* make a step .* before the capture"):
        device.capture(lambda: step(device, optimizer))


def test_a_capture_of_other_tensors_than_before(device):
    optimizer, parameters = on(device)
    step(device, optimizer)
    parameters[1].grad = None
    with pytest.raises(RuntimeError, match=r"make a step with the same parameters and options before the capture"):
        device.capture(lambda: step(device, optimizer))


def test_a_capture_with_a_schedule_that_no_step_has_followed(device):
    optimizer, _ = on(device)
    step(device, optimizer)
    optimizer.param_groups[0]["clip_norm"] = CosineDecay(1.0, steps=10)
    with pytest.raises(RuntimeError, match=r"make a step with the same parameters and options before the capture"):
        device.capture(lambda: step(device, optimizer))


def test_a_capture_with_a_layout_that_no_step_has_seen(device):
    optimizer, parameters = on(device)
    step(device, optimizer)
    parameters[0].grad = parameters[0].grad[:1].expand(SIZES[0])
    with pytest.raises(RuntimeError, match=r"stranger layouts .* make a step like it before the capture"):
        device.capture(lambda: step(device, optimizer))


def test_a_second_capture_with_other_gradients(device):
    optimizer, parameters = on(device)
    step(device, optimizer)
    device.capture(lambda: step(device, optimizer))
    give(device, parameters, 2)
    with pytest.raises(RuntimeError, match=r"in a CUDA graph already, with other gradients .* an optimizer of its own"):
        device.capture(lambda: step(device, optimizer))
    step(device, optimizer)
    assert float(optimizer.state[parameters[0]]["step"]) == 2


def test_a_second_capture_with_the_same_gradients(device):
    optimizer, parameters = on(device)
    step(device, optimizer)
    replays = [device.capture(lambda: step(device, optimizer)) for _ in range(2)]
    for replay in replays:
        replay()
    assert float(optimizer.state[parameters[0]]["step"]) == 3


def test_other_tensors_after_a_capture(device):
    optimizer, parameters = on(device)
    step(device, optimizer)
    device.capture(lambda: step(device, optimizer))
    parameters[0].grad = None
    before = [device.get(parameter) for parameter in parameters]
    with pytest.raises(RuntimeError, match=r"other tensors or states than those .* make a new optimizer"):
        step(device, optimizer)
    for parameter, values in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(device.get(parameter), values)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (lambda o: o.stats(), r"can't be waited for while a CUDA graph is captured: ask .* before or after"),
        (lambda o: o.state_dict(), r"can't be waited for while a CUDA graph is captured: ask .* before or after"),
        (copy.deepcopy, r"can't be waited for while a CUDA graph is captured: ask .* before or after"),
        (lambda o: o.load_state_dict({}), r"load_state_dict while a CUDA graph .* call it before the capture"),
    ],
    ids=["stats", "state_dict", "copy", "load_state_dict"],
)
def test_what_would_have_to_wait(device, asked, message):
    optimizer, _ = on(device, clip_norm=CosineDecay(1.0, steps=10), stats=True)
    step(device, optimizer)

    def step_and_ask():
        step(device, optimizer)
        with pytest.raises(RuntimeError, match=message):
            asked(optimizer)

    device.capture(step_and_ask)


def test_micro_batches(device):
    optimizer, parameters = on(device, accumulate=2)
    step(device, optimizer)
    with pytest.raises(RuntimeError, match=r"^accumulate counts micro-batches while a CUDA graph .* backward passes"):
        device.capture(lambda: step(device, optimizer))
    assert optimizer.accumulated == 1
    assert not optimizer.state[parameters[0]].get("step")
