"""Every option and hyper-parameter is checked alike, however a wrong value gets into a group."""

import copy
import math
from typing import Any

import numpy as np
import pytest

import gradstep
from gradstep import functional, rules
from gradstep.rules.options import OPTION_DEFAULTS
from support.arrays import assert_same_bits, normal

torch = pytest.importorskip("torch")

from gradstep import optim  # noqa: E402


class Foreign:
    def __repr__(self):
        return "<something else>"


#: values that no option and no hyper-parameter can have
NEVER: dict[str, Any] = {
    "a text": "no",
    "bytes": b"f16",
    "complex": 1j,
    "a dict": {},
    "a list": [0.5],
    "a tuple of one": (0.5,),
    "an array of two": np.array([0.25, 0.5]),
    "a tensor of two": torch.tensor([0.25, 0.5]),
    "a masked array": np.ma.masked_array([0.25], [True]),
    "an object": Foreign(),
    "huge": 10**400,
    "beyond what Python prints": -(10**5000),
    "NaN": math.nan,
}
SWITCH = {"one": 1, "zero": 0, "a float": 1.0, "a flag in an array": np.array(True), "nothing": None}
MODE = {"one": 1, "zero": 0, "another word": "f8", "a longer word": "full" * 100}
NUMBER = {
    "a flag": True,
    "a flag in an array": np.array(True),
    "a number in a text": "0.5",
    "minus infinity": -math.inf,
}

MODES = ("decoupled_weight_decay", "clip_scope", "cast_to", "state_dtype", "foreach", "fused")
NUMBERS = ("peak_lr", "clip_norm", "clip_value", "ema")
#: infinite where no limit is meant, and dampening any number
UNBOUNDED = {"step_sizes", "t0", "max_ratio", "growth_rate"}


def wrong_for(name, default):
    """Values that the option or hyper-parameter can't have."""
    if name in MODES:
        return NEVER | MODE
    if name == "accumulate":
        return NEVER | NUMBER | {"zero": 0, "a float": 2.0, "nothing": None, "too many": 2**53 + 1}
    if isinstance(default, bool):
        return NEVER | SWITCH
    infinite = {} if name in UNBOUNDED else {"infinity": math.inf}
    negative = {} if name == "dampening" else {"negative": -0.5}
    nothing = {} if name in (*NUMBERS, "beta3") else {"nothing": None}
    return NEVER | NUMBER | infinite | negative | nothing


#: of these, what the numbers of every class are tried with
SOME = ("a text", "a tensor of two", "a masked array", "huge", "NaN", "a flag", "infinity", "negative", "nothing")


def refusal(call):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    return type(caught.value), str(caught.value)


def over_arrays(name, **given):
    return getattr(gradstep, name)([normal(0, 3)], **given)


def over_tensors(name, **given):
    return getattr(optim, name)([torch.zeros(3)], **given)


def step(optimizer):
    if isinstance(optimizer, torch.optim.Optimizer):
        optimizer.param_groups[0]["params"][0].grad = torch.ones(3)
        optimizer.step()
    else:
        optimizer.step([np.ones(3, np.float32)])


def loaded(make, name, key, value):
    saved = make(name).state_dict()
    saved["param_groups"][0][key] = value
    return lambda: make(name).load_state_dict(saved)


def written(make, name, key, value):
    """A write between steps: the step that follows refuses it and changes nothing."""
    optimizer = make(name)
    step(optimizer)
    (parameter,) = optimizer.param_groups[0]["params"]
    before, state = copy.deepcopy((parameter, optimizer.state_dict()["state"]))
    optimizer.param_groups[0][key] = value

    def call():
        try:
            step(optimizer)
        finally:
            assert_same_bits(np.asarray(parameter), np.asarray(before))
            optimizer.param_groups[0][key] = optimizer.defaults[key]
            assert repr(optimizer.state_dict()["state"]) == repr(state)

    return call


def added(make, name, key, value):
    optimizer = make(name)
    array = np.zeros(2) if make is over_arrays else torch.zeros(2)

    def call():
        try:
            optimizer.add_param_group({"params": [array], key: value})
        finally:
            assert len(optimizer.param_groups) == 1

    return call


def entries(name, key, value):
    """All ways to put a value into a group, by name."""
    for make in (over_arrays, over_tensors):
        kind = make.__name__
        yield f"constructor {kind}", lambda make=make: make(name, **{key: value})
        yield f"add_param_group {kind}", added(make, name, key, value)
        yield f"load_state_dict {kind}", loaded(make, name, key, value)
        yield f"write {kind}", written(make, name, key, value)
    states = [np.zeros(3, np.float32) for _ in range(9)]
    update = getattr(functional, name.lower() + "_")
    yield "functional", lambda: update(normal(0, 3), normal(1, 3), *states, step=1, **{key: value})


def assert_refused_alike(name, key, value):
    found = {entry: refusal(call) for entry, call in entries(name, key, value)}
    assert len(set(found.values())) == 1, found
    ((_, message),) = set(found.values())
    assert key in message or "Invalid" in message
    assert len(message) < 1500


@pytest.mark.parametrize("key", OPTION_DEFAULTS)
def test_an_option(key):
    for value in wrong_for(key, OPTION_DEFAULTS[key]).values():
        assert_refused_alike("SGD", key, value)


def own(name):
    """The hyper-parameters of a class, with their defaults."""
    return getattr(rules, name).own_defaults()


@pytest.mark.parametrize("name", rules.ALL)
def test_a_hyperparameter(name):
    for key, default in own(name).items():
        for kind, value in wrong_for(key, default).items():
            if kind not in SOME:
                continue
            if isinstance(default, tuple):
                assert_refused_alike(name, key, value)
                if kind != "negative" or key != "etas":
                    assert_refused_alike(name, key, (*default[:-1], value))
            else:
                assert_refused_alike(name, key, value)


@pytest.mark.parametrize("make", [over_arrays, over_tensors])
@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("updates", -1, "Invalid updates: -1: it counts updates and must be a whole number from 0 to 2"),
        ("updates", 1.5, "Invalid updates: 1.5"),
        ("accumulated", True, "Invalid accumulated: True: it counts micro-batches"),
        ("last_norm", "x", "Invalid last_norm: 'x' of type str: pass a number"),
        ("last_norm", -1.0, "Invalid last_norm: -1.0: a norm is 0 or above"),
        (
            "gradstep_scale",
            math.nan,
            r"Invalid gradstep_scale value: nan: gradstep_scale must be a number in \[0, inf\)",
        ),
        ("schedules", [], r"Invalid schedules: \[\]: pass a dict"),
        ("schedules", {"speed": "{}"}, "Invalid schedules: the group has no hyper-parameter 'speed'"),
        ("schedules", {"lr": 0.5}, "Invalid schedules: 0.5 of lr is not a text"),
        ("schedules", {"lr": '{"schedule": "Straight"}'}, "there is no schedule 'Straight'"),
    ],
)
def test_what_a_group_counts_by_itself(make, key, value, message):
    optimizer = make("SGD")
    saved = optimizer.state_dict()
    before = copy.deepcopy(saved)
    saved["param_groups"][0][key] = value
    with pytest.raises((TypeError, ValueError), match=message):
        optimizer.load_state_dict(saved)
    assert repr(optimizer.state_dict()) == repr(before)


@pytest.mark.parametrize("make", [over_arrays, over_tensors])
def test_a_key_that_was_taken_out(make):
    for key, shown in (("lr", "0.001"), ("maximize", "False")):
        optimizer = make("SGD")
        del optimizer.param_groups[0][key]
        with pytest.raises(ValueError, match=f"the group has no '{key}': put it back, its default is {shown}"):
            step(optimizer)


@pytest.mark.parametrize("make", [over_arrays, over_tensors])
def test_a_list_that_changes_in_place(make):
    optimizer, twin = make("Adam", betas=[0.5, 0.75]), make("Adam", betas=(0.5, 0.75))
    for each in (optimizer, twin):
        step(each)
    optimizer.param_groups[0]["betas"][0] = 0.25
    twin.param_groups[0]["betas"] = (0.25, 0.75)
    for each in (optimizer, twin):
        step(each)
    (found,), (expected,) = (each.param_groups[0]["params"] for each in (optimizer, twin))
    assert_same_bits(np.asarray(found), np.asarray(expected))
    optimizer.param_groups[0]["betas"][0] = 1.5
    with pytest.raises(ValueError, match=r"Invalid beta parameter at index 0: 1\.5"):
        step(optimizer)


@pytest.mark.parametrize("make", [over_arrays, over_tensors])
def test_a_wrong_write_does_not_take_over_from_a_schedule(make):
    optimizer = make("SGD", lr=gradstep.Linear(1.0, 0.0, 4))
    step(optimizer)
    for wrong in (math.nan, -1.0, "fast", np.array([1.0, 2.0])):
        optimizer.param_groups[0]["lr"] = wrong
        with pytest.raises((TypeError, ValueError), match=r"lr|learning rate"):
            step(optimizer)
    optimizer.param_groups[0]["lr"] = 0.75  # the value that the schedule had written
    step(optimizer)
    assert optimizer.param_groups[0]["lr"] == 0.5


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, 1e-320, 10**400])
def test_scales_by_which_nothing_can_be_divided(scale):
    optimizer = over_arrays("SGD")
    with pytest.raises(ValueError, match="Invalid grad_scale: "):
        optimizer.step([np.ones(3, np.float32)], grad_scale=scale)
    with pytest.raises(ValueError, match="Invalid grad_scale: "):
        functional.unscale_(np.ones(3), scale)
