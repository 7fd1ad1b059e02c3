"""Errors for objects of any library in the place of a rate say what to do with them."""

import importlib

import numpy as np
import pytest

import gradstep

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402


def of_torch(name, *given):
    scheduled = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    return getattr(torch.optim.lr_scheduler, name)(scheduled, *given)


def of_keras():
    return importlib.import_module("keras").optimizers.schedules.CosineDecay(0.1, 10)


def of_optax(name, *given):
    return getattr(importlib.import_module("optax"), name)(*given)


class Scheduler:
    """Stands for timm's, which needs torchvision."""


Scheduler.__module__ = "timm.scheduler.scheduler"


class CosineLRScheduler(Scheduler):
    """One of timm's."""


def rate(t):
    return 0.1 / (1 + t)


class Rate:
    def __call__(self, t):
        return rate(t)


CALLABLE = "make a function of the step a schedule, gradstep.Callable(function, steps=...)"
OPTAX = "such as gradstep.convert.from_optax('cosine_decay_schedule', init_value, decay_steps)"
PLATEAU = "it is no rate but steps one: keep a number or a schedule here, and call plateau.step(loss, optimizer)"

MISPLACED = {
    "a lambda": (lambda: lambda t: 0.1, CALLABLE),
    "a function": (lambda: rate, CALLABLE),
    "an object that is called": (Rate, CALLABLE),
    "a method": (lambda: Rate().__call__, CALLABLE),
    "a class": (lambda: gradstep.CosineDecay, "make one first, CosineDecay(...)"),
    "a text": (lambda: "1e-3", "pass float('1e-3')"),
    "torch's scheduler": (lambda: of_torch("CosineAnnealingLR", 10), "gradstep.convert.from_torch(scheduler)"),
    "torch's LambdaLR": (lambda: of_torch("LambdaLR", rate), "gradstep.convert.from_torch(scheduler)"),
    "torch's plateau": (
        lambda: of_torch("ReduceLROnPlateau"),
        "plateau = gradstep.convert.from_plateau(scheduler, lr=",
    ),
    "timm's scheduler": (CosineLRScheduler, "gradstep.convert.from_timm(scheduler)"),
    "Keras's schedule": (of_keras, "gradstep.convert.from_keras(schedule)"),
    "optax's schedule": (lambda: of_optax("cosine_decay_schedule", 0.1, 10), OPTAX),
    "optax's join": (lambda: of_optax("join_schedules", [rate, rate], [3]), OPTAX),
    "a plateau": (gradstep.Plateau, PLATEAU),
    "an exploration": (lambda: gradstep.Explore(), PLATEAU),
}


def over_arrays(**given):
    gradstep.Adam([np.zeros(3)], **given)


def over_tensors(**given):
    optim.Adam([torch.zeros(3)], **given)


@pytest.mark.parametrize("kind", MISPLACED)
@pytest.mark.parametrize("make", [over_arrays, over_tensors])
@pytest.mark.parametrize("place", [lambda it: {"lr": it}, lambda it: {"betas": (it, 0.9)}], ids=["lr", "betas"])
def test_each_is_told_what_to_do(kind, make, place):
    given, remedy = MISPLACED[kind]
    try:
        value = given()
    except ModuleNotFoundError as missing:
        pytest.skip(str(missing))
    with pytest.raises(TypeError) as caught:
        make(**place(value))
    message = str(caught.value)
    assert message.startswith("Invalid ")
    assert "pass a number or an array of one number; " in message
    assert remedy in message


def test_a_schedule_where_a_number_of_this_step_belongs():
    with pytest.raises(TypeError, match=r"Invalid grad_scale: .*; pass its value at the step, schedule\(t\)"):
        gradstep.SGD([np.zeros(3)]).step([np.zeros(3)], grad_scale=gradstep.Linear(0.1, 0.0, 10))


@pytest.mark.parametrize("value", ["fast", None, [0.1], {}, object(), b"1"], ids=lambda value: type(value).__name__)
def test_what_is_of_no_known_kind_has_no_remedy(value):
    with pytest.raises(TypeError, match=r"pass a number or an array of one number$"):
        over_arrays(lr=value)
