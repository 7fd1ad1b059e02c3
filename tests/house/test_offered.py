"""What completion, ``help`` and annotations offer a user: names, signatures and types."""

import inspect
import typing

import numpy as np
import pytest
import torch

import gradstep
from gradstep import Schedule, optim, rules
from gradstep.rules.options import OPTION_DEFAULTS
from support.compositions import COMPOSED

SCHEDULES = [each for name in gradstep.schedules.__all__ if isinstance(each := getattr(gradstep, name), type)]
METHODS = {"clip", "describe", "plot", "repeat", "shift", "smooth", "stretch", "then", "to_json", "warmup"}
OPTIMIZERS = {
    *("accumulated", "add_param_group", "averages", "catch_up", "defaults", "load_state_dict", "param_groups", "state"),
    *("state_dict", "stats", "step"),
}
MODES = {"train", "eval"}
OF_ARRAYS = OPTIMIZERS | {"listed_gradients"}


def names(found):
    return {name for name in dir(found) if not name.startswith("__")}


@pytest.mark.parametrize("schedule", [*COMPOSED, gradstep.WSD(0.1, 5, 20, 5)], ids=repr)
def test_a_schedule_offers_its_arguments_and_methods(schedule):
    assert {name.rstrip("_") for name in names(schedule)} == METHODS | set(inspect.signature(type(schedule)).parameters)
    assert all(hasattr(schedule, name) for name in dir(schedule))


def test_what_makes_a_schedule_of_a_schedule_is_offered():
    makes = {
        name
        for name, each in vars(Schedule).items()
        if getattr(each, "__annotations__", {}).get("return") == "Schedule"
    }
    assert {name for name in makes if not name.startswith("_")} <= METHODS


def test_a_users_schedule_offers_its_own():
    class Mine(gradstep.Constant):
        def halved(self):
            return self * 0.5

    assert names(Mine(1.0)) == METHODS | {"value", "halved"}


@pytest.mark.parametrize("name", rules.ALL)
def test_an_optimizer_offers_what_its_users_call(name):
    modes = MODES if rules.ALL[name].momentum_name else set()
    assert names(getattr(gradstep, name)([np.ones((2, 2))])) == OF_ARRAYS | modes
    over_torch = getattr(optim, name)([torch.nn.Parameter(torch.ones(2, 2))])
    torchs = {each for each in dir(torch.optim.Optimizer) if not each.startswith("_")}
    torchs |= {"share_memory"} if name == "Adagrad" else set()
    assert names(over_torch) == OPTIMIZERS | torchs | modes
    assert all(inspect.getattr_static(over_torch, each, None) is not None for each in OPTIMIZERS)


def test_a_users_optimizer_offers_its_own():
    class Mine(gradstep.Adam):
        def halve(self):
            pass

    made = Mine([np.ones(2)])
    made.note = "mine"
    assert names(made) == OF_ARRAYS | {"halve", "note"}


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda each: each.__name__)
def test_the_arguments_of_a_schedule_have_plain_types(schedule):
    for of in (schedule, schedule.__init__):
        for argument in inspect.signature(of).parameters.values():
            assert "Annotated" not in str(argument)
            assert "function" not in str(argument).replace("Callable", "")


def test_a_signature_in_full():
    assert str(inspect.signature(gradstep.MultiStep)).startswith(
        "(init: float, milestones: collections.abc.Sequence[int], "
    )
    shown = str(inspect.signature(gradstep.CosineDecay))
    assert shown.startswith(
        "(init: float, steps: int, end: float = 0.0, *, exponent: float = 1.0, k: float = 1.0, end_at"
    )
    assert "end_at: Literal['steps', 'last'] = 'steps'" in shown


def test_the_checks_of_arguments_are_still_there():
    with pytest.raises(TypeError, match="init is 'a'"):
        gradstep.CosineDecay("a", 10)
    assert gradstep.CosineDecay.checks().keys() == inspect.signature(gradstep.CosineDecay).parameters.keys()


def test_options_and_the_type_of_a_rate_are_public():
    assert {"Options", "Rate"} <= set(gradstep.__all__)
    assert typing.get_type_hints(gradstep.Options).keys() == OPTION_DEFAULTS.keys()
    assert typing.get_args(gradstep.Rate) == (typing.SupportsFloat, Schedule)


@pytest.mark.parametrize(
    ("tool", "name", "allowed"),
    [
        (gradstep.Plateau, "mode", ("min", "max")),
        (gradstep.Plateau, "threshold_mode", ("rel", "abs")),
        (gradstep.Plateau, "rule", ("torch", "keras")),
        (gradstep.Explore, "mode", ("min", "max")),
        (gradstep.Explore, "threshold_mode", ("rel", "abs")),
    ],
)
def test_the_modes_of_a_tool_are_those_of_its_type(tool, name, allowed):
    assert typing.get_args(typing.get_type_hints(tool.__init__)[name]) == allowed
    for each in allowed:
        tool(**{name: each})
    with pytest.raises(ValueError, match=f"^{name} is 'x': it must be one of {', '.join(map(repr, allowed))}$"):
        tool(**{name: "x"})
