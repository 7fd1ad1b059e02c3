"""Invalid hyper-parameters: negative, NaN, infinite or of a wrong type, in the constructor or between steps."""

import math

import numpy as np
import pytest

import gradstep
from gradstep import rules
from support.arrays import assert_same_bits, normal
from support.cases import CASES

DECOYS = {
    "a string": "0.1",
    "nothing": None,
    "a flag": True,
    "a list": [0.1],
    "two numbers": np.array([0.1, 0.2]),
    "complex": 1j,
}


def numbers(name):
    """The hyper-parameters of a class: each name with how to put a value there."""
    found = {}
    for case in CASES:
        if case.name == name:
            for key, value in case.hyper.items():
                if isinstance(value, tuple):
                    for i in range(len(value)):
                        found[f"{key}[{i}]"] = (key, lambda new, old=value, i=i: (*old[:i], new, *old[i + 1 :]))
                elif not isinstance(value, bool):
                    found[key] = (key, lambda new: new)
    return found


EACH = [(name, label) for name in rules.ALL for label in numbers(name)]
each_number = pytest.mark.parametrize(("name", "label"), EACH, ids=lambda v: v)

# dampening may be negative; the largest step of Rprop, the start of ASGD's average and limits may be infinite
SIGNED = {"dampening"}
UNBOUNDED = {"step_sizes[1]", "t0", "max_ratio", "growth_rate"}
OPTIONAL = {"beta3"}  # None stands for what another gives
# the start of a state that is there; and what a plain SGD, as by default here, has no use for
NOT_READ_BY_A_STEP = {"initial_accumulator_value", "dampening"}


@pytest.mark.parametrize("value", [1j, np.complex64(1), np.array(1j)], ids=repr)
def test_a_complex_number_is_refused_as_that(value):
    with pytest.raises(TypeError, match=r"Invalid lr: .* is complex: pass a real number"):
        gradstep.SGD([np.ones(1)], lr=value)


def assert_refused(name, label, value, kinds):
    key, put = numbers(name)[label]
    with pytest.raises(kinds, match=r"Invalid|must be 1-element") as caught:
        getattr(gradstep, name)([normal(0, 3)], **{key: put(value)})
    shown = str(value) if not isinstance(value, np.ndarray) else repr(value)
    assert shown in str(caught.value)


@each_number
def test_negative(name, label):
    if label in SIGNED:
        getattr(gradstep, name)([normal(0, 3)], **{label: -0.5})
    else:
        assert_refused(name, label, -0.5, ValueError)


@each_number
def test_nan(name, label):
    assert_refused(name, label, math.nan, ValueError)


@each_number
def test_infinite(name, label):
    if label not in UNBOUNDED:
        assert_refused(name, label, math.inf, ValueError)


@pytest.mark.grid
@pytest.mark.parametrize("decoy", DECOYS)
@each_number
def test_of_a_wrong_type(name, label, decoy):
    if label in OPTIONAL and DECOYS[decoy] is None:
        return
    assert_refused(name, label, DECOYS[decoy], (TypeError, ValueError))


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("Adam", {"betas": (1.0, 0.9)}, r"Invalid beta parameter at index 0: 1.0: .* \[0, 1\)"),
        ("Adam", {"betas": (0.9, 1.0)}, r"Invalid beta parameter at index 1: 1.0: .* \[0, 1\)"),
        ("Lion", {"betas": 0.9}, r"Invalid betas: 0.9: pass a pair of numbers"),
        ("Lion", {"betas": (0.9, 0.9, 0.9)}, r"Invalid betas: .*: pass a pair"),
        ("Adan", {"betas": (0.9, 0.9)}, r"Invalid betas: \(0.9, 0.9\): pass 3 numbers"),
        ("AdEMAMix", {"betas": (0.9, 0.9, 1.0)}, r"Invalid beta parameter at index 2: 1.0: .* \[0, 1\)"),
        ("ScheduleFreeSGD", {"momentum": 0.0}, r"Invalid momentum value: 0.0: .* \(0, 1\)"),
        ("ScheduleFreeAdamW", {"betas": (0.0, 0.9)}, r"Invalid beta parameter at index 0: 0.0: .* \(0, 1\)"),
        ("Rprop", {"etas": (1.1, 1.2)}, r"Invalid eta values: 1.1, 1.2: .* \(0, 1\)"),
        ("Rprop", {"etas": (0.5, 1.0)}, r"Invalid eta values: 0.5, 1.0: .* \(1, inf\)"),
        ("Adadelta", {"rho": 1.5}, r"Invalid rho value: 1.5: .* \[0, 1\]"),
        ("Signum", {"momentum": 1.0}, r"Invalid momentum value: 1.0: .* \[0, 1\)"),
        ("SGD", {"nesterov": True}, r"requires a momentum and zero dampening: got momentum=0"),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.5}, r"zero dampening: .* dampening=0.5"),
        ("SGD", {"state_dtype": "f8"}, r"Invalid state_dtype: 'f8': pass None .* or 'param'"),
        ("SGD", {"learning_rate": 0.1}, r"unexpected keyword argument 'learning_rate'"),
    ],
)
def test_limits_of_single_ones(name, given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        getattr(gradstep, name)([normal(0, 3)], **given)


@each_number
def test_a_group_that_a_user_has_spoilt(name, label):
    key, put = numbers(name)[label]
    p, gradient = normal(0, 3), normal(1, 3)
    optimizer = getattr(gradstep, name)([p])
    optimizer.step([gradient])
    before, state = p.copy(), {k: v.copy() for k, v in optimizer.state[0].items()}
    optimizer.param_groups[0][key] = put(math.nan)
    if label not in NOT_READ_BY_A_STEP:
        with pytest.raises(ValueError, match="Invalid"):
            optimizer.step([gradient])
    assert_same_bits(p, before)
    assert set(state) == set(optimizer.state[0])
    for k, values in state.items():
        assert_same_bits(optimizer.state[0][k], values)
    with pytest.raises(ValueError, match="Invalid"):
        optimizer.add_param_group({"params": [normal(2, 2)], key: put(math.nan)})
    assert len(optimizer.param_groups) == 1
