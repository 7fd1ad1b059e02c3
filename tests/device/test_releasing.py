"""release on a device: each parameter is updated in backward, and step() counts for all."""

import pytest
import torch

import gradstep
from support.arrays import to_torch
from support.cases import ONE_EACH, Case
from support.twins import Twins, normals

SIZES = (0, 5, 33, 40_000)
STEPS = 3
ADAM = Case("Adam", {"eps": 1e-3})
SCHEDULES = {"lr": gradstep.Linear(0.1, 0.01, 5), "weight_decay": gradstep.Linear(0.3, 0.1, 4)}

each_rule = pytest.mark.parametrize("case", [case for case in ONE_EACH if case.scope != "all"], ids=str)


def releasing(device, case, dtype="f32", held=0, **options):
    """Twins whose first ``held`` parameters have no hook: step() updates them."""

    def make(tensors):
        groups = [{"params": tensors[:held], "release": False}, {"params": tensors[held:], "release": True}]
        for tensor in tensors:
            tensor.requires_grad_()
        return case.over_tensors([group for group in groups if group["params"]], **options)

    return Twins(device, make, normals(0, SIZES, dtype))


def backward(parameters, gradients, put):
    sum((p * put(g)).sum() for p, g in zip(parameters, gradients, strict=True)).backward()


def train(twins, t, dtype="f32"):
    gradients = normals(t, SIZES, dtype)
    backward(twins.host, gradients, to_torch)
    with twins.device.stepping():
        backward(twins.there, gradients, twins.device.put)
    twins.step()
    for parameter in (*twins.host, *twins.there):
        parameter.grad = None


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@each_rule
def test_every_rule(device, case, dtype):
    twins = releasing(device, case, dtype, **SCHEDULES, ema=0.5)
    for t in range(1, STEPS + 1):
        train(twins, t, dtype)
        twins.assert_same()
    assert twins.updates() == (STEPS, STEPS)


@pytest.mark.parametrize("held", [0, 2])
@pytest.mark.parametrize(
    "options",
    [
        {"stats": True},
        {"clip_norm": 2.0, "clip_lagged": True},
        {"clip_norm": gradstep.Linear(3.0, 1.0, 4), "clip_lagged": True},
    ],
    ids=["stats", "clip", "clip-schedule"],
)
def test_reports_are_joined(device, options, held):
    twins = releasing(device, ADAM, held=held, **options)
    for t in range(1, STEPS + 1):
        train(twins, t)
        twins.assert_same()
        assert twins.found.stats() == twins.expected.stats()
        assert twins.found.stats().gradient_norm > 0


def test_a_step_that_found_nothing_reports_nothing(device):
    twins = releasing(device, ADAM, stats=True)
    train(twins, 1)
    twins.step()
    for optimizer in (twins.expected, twins.found):
        with pytest.raises(RuntimeError, match="no step has been measured"):
            optimizer.stats()
    train(twins, 2)
    assert twins.found.stats() == twins.expected.stats()


def test_parameters_that_move_and_states_that_are_replaced(device):
    twins = releasing(device, ADAM, held=1)
    for t in range(1, 6):
        for parameters, optimizer in ((twins.host, twins.expected), (twins.there, twins.found)):
            if t == 2:
                parameters[2].data = parameters[2].data.clone()
            if t == 3:
                optimizer.load_state_dict(optimizer.state_dict())
            if t == 4:
                optimizer.state[parameters[3]]["exp_avg"] = torch.ones_like(parameters[3])
        train(twins, t)
        twins.assert_same()


def test_steps_of_all_between_them(device):
    twins = releasing(device, ADAM, **SCHEDULES)
    for t in range(1, 5):
        if t % 2:
            train(twins, t)
        else:
            twins.take(normals(t, SIZES))
            twins.step()
        twins.assert_same()
    assert twins.updates() == (4, 4)


def test_a_graph_of_a_whole_iteration(device):
    twins = releasing(device, ADAM, **SCHEDULES, stats=True)
    gradients = [device.put(g) for g in normals(1, SIZES)]

    def iteration():  # without backward, which the emulated device would not repeat
        with device.stepping():
            for parameter, gradient in zip(twins.there, gradients, strict=True):
                parameter.grad = gradient
                twins.found._release._update(parameter)
            twins.found.step()

    def reference(t):
        backward(twins.host, normals(t, SIZES), to_torch)
        twins.expected.step()

    iteration()
    reference(1)
    replay = device.capture(iteration)
    for t in range(2, 5):
        for there, gradient in zip(gradients, normals(t, SIZES), strict=True):
            there.copy_(device.put(gradient))
        replay()
        reference(t)
        twins.assert_same()
        assert twins.found.stats() == twins.expected.stats()
    assert twins.updates() == (4, 4)
