"""Calls that are wrong: they are refused with words, and nothing has happened."""

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .accidents import makes_update, need
from .drawing import Draw, NotApplicable
from .routes import made
from .setups import any_setup
from .trainings import REFUSALS, Training, assert_same, check_words

#: what the call raises, besides TypeError and ValueError, where torch is what raises it
LET_THROUGH = (*REFUSALS, KeyError, AttributeError)


def refused_calls(draw: Draw) -> str:
    """A training with wrong calls before its steps, and its twin without."""
    setup = any_setup(draw, awkward=False)
    training, twin = made("the twins", lambda: Training(setup), lambda: Training(setup))
    told: list[str] = []
    for _ in range(setup.steps):
        gradients = training.prepare()
        for _ in range(draw.choice([0, 1, 1, 2])):
            wrong = draw.choice(WRONG)
            before = training.look()
            try:
                refuse(draw, wrong, training, gradients)
            except NotApplicable:
                continue
            told.append(wrong.__name__)
            assert_same(training.look(), before, f"{wrong.__name__} changed something, though it was refused")
        refused, others = training.attempt(gradients), twin.step()
        assert type(refused) is type(others), f"after {told}: {refused!r}, the twin {others!r}"
        assert_same(training.result(), twin.result(), f"after {told}, step {training.made}")
    if not told:
        raise NotApplicable("nothing wrong")
    return ", ".join(told)


def refuse(draw: Draw, wrong: Callable[..., Any], training: Training, gradients: list[Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            wrong(draw, training, gradients)
        except REFUSALS as refused:
            check_words(refused, f"{wrong.__name__}")
            return
    raise AssertionError(f"{wrong.__name__} was not refused")


def attempt_with(training: Training, gradients: list[Any], i: int, gradient: Any) -> None:
    """Step with another gradient for parameter i."""
    if training.layer == "numpy":
        training.optimizer.step([gradient if k == i else each for k, each in enumerate(gradients)])
        return
    parameter = training.parameters[i]
    held = parameter.grad
    need(gradient.shape == parameter.shape and gradient.dtype == parameter.dtype)  # others torch itself refuses
    parameter.grad = gradient
    try:
        training.optimizer.step()
    finally:
        parameter.grad = held


def one(draw: Draw, training: Training, gradients: list[Any]) -> int:
    """The number of a parameter that has a dense gradient and elements."""
    kind = np.ndarray if training.layer == "numpy" else torch.Tensor
    found = [i for i, g in enumerate(gradients) if isinstance(g, kind) and 0 not in g.shape]
    need(bool(found))
    return draw.choice(found)


def another_shape(draw: Draw, training: Training, gradients: list[Any]) -> None:
    need(training.layer == "numpy")
    i = one(draw, training, gradients)
    attempt_with(training, gradients, i, np.zeros((*gradients[i].shape, 2), gradients[i].dtype))


def another_dtype(draw: Draw, training: Training, gradients: list[Any]) -> None:
    need(training.layer == "numpy")
    i = one(draw, training, gradients)
    dtype = draw.choice(["i4", "?", "u1", ">f4", ">f8", "O", "U1", "M8[s]"])
    attempt_with(training, gradients, i, np.zeros(gradients[i].shape, dtype))


def no_array(draw: Draw, training: Training, gradients: list[Any]) -> None:
    need(training.layer == "numpy")
    i = one(draw, training, gradients)
    attempt_with(training, gradients, i, draw.choice([1.0, "x", [1.0], object(), b"bytes", np.float32(1), {}]))


def another_count(draw: Draw, training: Training, gradients: list[Any]) -> None:
    need(training.layer == "numpy")
    training.optimizer.step(draw.choice([gradients[:-1], [*gradients, None], [*gradients, np.zeros(3)], []]))


def read_only_gradient(draw: Draw, training: Training, gradients: list[Any]) -> None:
    i = one(draw, training, gradients)
    group = training.group_of(i)
    need(training.layer == "numpy" and group["zero_grad"] and group["accumulate"] == 1)
    attempt_with(
        training, gradients, i, np.frombuffer(gradients[i].tobytes(), gradients[i].dtype).reshape(gradients[i].shape)
    )


def read_only_parameter(draw: Draw, training: Training, gradients: list[Any]) -> None:
    need(training.layer == "numpy" and makes_update(training))
    i = one(draw, training, gradients)
    training.parameters[i].setflags(write=False)
    try:
        training.optimizer.step(gradients)
    finally:
        training.parameters[i].setflags(write=True)


def overlapping(draw: Draw, training: Training, gradients: list[Any]) -> None:
    i = one(draw, training, gradients)
    parameter = training.parameters[i]
    need(len(parameter.shape) > 0 and parameter.shape[0] > 1 and training.optimizer.param_groups[0]["accumulate"] == 1)
    if training.layer == "numpy":
        attempt_with(training, gradients, i, parameter[::-1])
        return
    need(len(parameter.shape) == 2 and parameter.is_contiguous())
    other = parameter.as_strided(parameter.shape, (1, parameter.shape[0]))
    need(min(parameter.shape) > 1)
    attempt_with(training, gradients, i, other)


def wrong_scale(draw: Draw, training: Training, gradients: list[Any]) -> None:
    need(training.layer == "numpy")
    scale = draw.choice([0.0, -1.0, math.nan, math.inf, 1e-320, "x", [1.0, 2.0], 10**400, True])
    training.optimizer.step(gradients, grad_scale=scale)


def wrong_group(draw: Draw, training: Training, gradients: list[Any]) -> None:
    wrong = draw.choice(
        [
            {"lr": math.nan},
            {"lr": 10**400},
            {"lr": -1.0},
            {"lr": "1"},
            {"weight_decay": -0.5},
            {"maximize": "no"},
            {"cast_to": "f8"},
            {"ema": 2.0},
            {"clip_norm": 0.0},
            {"clip_norm": True},
            {"accumulate": 0},
            {"accumulate": 7},
            {"zero_grad": 1},
            {"decoupled_weight_decay": "half"},
            {"state_dtype": "f32"},
            {"differentiable": True},
        ]
    )
    training.optimizer.add_param_group({"params": [training.native(np.zeros(3, np.float32))], **wrong})


def shared_parameter(draw: Draw, training: Training, gradients: list[Any]) -> None:
    i = one(draw, training, gradients)
    parameter = training.parameters[i]
    training.optimizer.add_param_group({"params": [parameter if training.layer == "torch" else parameter[...]]})


def wrong_parameter(draw: Draw, training: Training, gradients: list[Any]) -> None:
    need(training.layer == "numpy")  # torch takes those that never have a gradient
    training.optimizer.add_param_group({"params": [draw.choice([np.zeros(3, np.int32), np.zeros(3, bool), "w", 1.0])]})


def written_option(draw: Draw, training: Training, gradients: list[Any]) -> None:
    """An option that a user writes into a group, and takes back after the refusal."""
    need(any(each is not None for each in gradients))
    group = draw.choice(training.optimizer.param_groups)
    key, value = draw.choice(
        [
            ("maximize", "no"),
            ("cast_to", "f8"),
            ("weight_decay", -1.0),
            ("weight_decay", math.nan),
            ("clip_value", -1.0),
            ("ema", 1.5),
            ("zero_grad", 1),
            ("clip_scope", "both"),
            ("skip_nonfinite", None),
            ("decoupled_weight_decay", 2),
            ("state_dtype", 3),
            ("accumulate", 1.0),
            ("lazy_rows", "x"),
        ]
    )
    need(key not in group.get("schedules", {}))
    held = group[key]
    group[key] = value
    try:
        training.call(gradients)
    finally:
        group[key] = held


def wrong_checkpoint(draw: Draw, training: Training, gradients: list[Any]) -> None:
    need(not any(training.setup.option("lazy_rows")))  # state_dict lets rows catch up
    saved = training.optimizer.state_dict()
    states = {number: dict(state) for number, state in saved["state"].items()}
    groups = [dict(group) for group in saved["param_groups"]]
    saved = {**saved, "state": states, "param_groups": groups}
    kind = draw.randrange(4)
    if kind == 0:
        groups.append(dict(groups[0]))
    elif kind == 1:
        groups[0]["weight_decay"] = math.nan
    else:
        arrays = [
            (state, name) for state in states.values() for name, value in state.items() if getattr(value, "ndim", 0)
        ]
        steps = [state for state in states.values() if "step" in state]
        if kind == 2:
            need(bool(arrays))
            state, name = draw.choice(arrays)
            state[name] = state[name][None]
        else:
            need(bool(steps))
            state = draw.choice(steps)
            state["step"] = state["step"] * 0 + draw.choice([math.nan, -3.0, math.inf, 0.5])
    training.optimizer.load_state_dict(saved)


WRONG = [
    another_shape,
    another_dtype,
    no_array,
    another_count,
    read_only_gradient,
    read_only_parameter,
    overlapping,
    wrong_scale,
    wrong_group,
    shared_parameter,
    wrong_parameter,
    written_option,
    wrong_checkpoint,
]
