"""States of other shapes than the parameter's: saved, loaded and refused in words; and whose rules have them."""

import copy
import re

import numpy as np
import pytest
import torch
from test_matrix_rules import each_rule, gradients_of, needs_rules

import gradstep
from gradstep import _core, rules
from support.arrays import assert_same_bits, normal, step_all, to_numpy, to_torch
from support.compiling import ROOT
from support.rules_of_tests import BUILT, MATRIX_CASES, NAMES


@needs_rules
@pytest.mark.parametrize("over", ["over", "over_tensors"])
@each_rule
def test_state_dict(case, over):
    gradients = gradients_of((9, 7))
    made = []
    for _ in range(2):
        p = normal(1, (9, 7))
        made.append(p if over == "over" else torch.nn.Parameter(to_torch(p)))
    whole, parted = (getattr(case, over)([p]) for p in made)

    def step(optimizer, p, g):
        if over == "over":
            optimizer.step([g])
        else:
            p.grad = to_torch(g)
            optimizer.step()

    for t, g in enumerate(gradients):
        step(whole, made[0], g)
        if t == 2:
            saved = copy.deepcopy(parted.state_dict())
            parted = getattr(case, over)([made[1]])
            parted.load_state_dict(saved)
        step(parted, made[1], g)
    assert_same_bits(*(np.asarray(p if over == "over" else to_numpy(p)) for p in made))


@needs_rules
@pytest.mark.parametrize("over", ["over", "over_tensors"])
def test_a_state_of_another_shape_is_not_loaded(over):
    case = MATRIX_CASES[0]
    p = normal(1, (9, 7))
    p = p if over == "over" else torch.nn.Parameter(to_torch(p))
    optimizer = getattr(case, over)([p])
    row = np.zeros((9, 7), np.float32)
    saved = {**optimizer.state_dict(), "state": {0: {"row_sq": row if over == "over" else to_torch(row)}}}
    message = (
        "the state 'row_sq' of parameter 0 has shape (9, 7), but the parameter has shape (9, 7), for which that state "
        "has shape (9, 1): load a state_dict of the same "
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        optimizer.load_state_dict(saved)


@needs_rules
def test_a_state_of_another_shape_is_not_stepped():
    p = normal(1, (9, 7))
    optimizer = step_all(MATRIX_CASES[0].over([p]), [[normal(2, (9, 7))]])
    optimizer.state[0]["row_sq"] = np.zeros((1, 7), np.float32)
    before = p.copy()
    message = "the state 'row_sq' of parameter 0 has shape (1, 7), but its rule needs shape (9, 1): they must be equal"
    with pytest.raises(ValueError, match=re.escape(message)):
        optimizer.step([normal(3, (9, 7))])
    assert_same_bits(p, before)


@needs_rules
def test_a_state_that_shares_memory_is_refused():
    p = normal(1, (9, 7))
    optimizer = step_all(MATRIX_CASES[0].over([p]), [[normal(2, (9, 7))]])
    optimizer.state[0]["row_sq"] = p[:, :1]
    with pytest.raises(ValueError, match="the state 'row_sq' of parameter 0 shares memory with parameter 0"):
        optimizer.step([normal(3, (9, 7))])
    optimizer.state[0]["row_sq"] = np.broadcast_to(np.zeros((1, 1), np.float32), (9, 1)).copy()[::1]
    optimizer.step([normal(3, (9, 7))])


@needs_rules
@pytest.mark.parametrize("lazy_rows", [False, True])
@each_rule
def test_sparse_gradients_are_refused(case, lazy_rows):
    p = normal(1, (9, 7))
    optimizer = case.over([p], lazy_rows=lazy_rows)
    rows = gradstep.Rows(np.array([1, 3]), normal(2, (2, 7)))
    before = p.copy()
    message = (
        "its rule sees whole rows and columns of the parameter at once; pass .to_dense()" if lazy_rows else "sparse"
    )
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        optimizer.step([rows])
    assert_same_bits(p, before)
    assert not any(optimizer.state)
    expected = p.copy()
    step_all(case.over([expected]), [[normal(3, (9, 7))]])
    optimizer.step([normal(3, (9, 7))])  # a dense one goes on
    assert_same_bits(p, expected)


@needs_rules
@each_rule
def test_complex_parameters_are_refused(case):
    message = (
        f"{case.name} sees rows and columns of real numbers, and parameter 0 of the group has dtype complex64: pass a "
        "view of its reals"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        case.over([np.zeros((3, 2), np.complex64)])


@needs_rules
def test_the_core_says_what_states_are_like():
    shapes = {name: (facts.states, facts.sees_matrix) for name, facts in _core.rules().items()}
    assert shapes["axis_normalised"] == (["row", "parameter", "column", "matrix"], True)
    assert shapes["row_scaled"] == (["parameter"], True)
    assert shapes["adam"] == (["parameter", "parameter"], False)


def test_the_library_has_none_of_these_rules():
    assert not {name.replace("_", "") for name in NAMES} & {name.lower() for name in rules.ALL}
    listed = (ROOT / "cpp" / "rules" / "list.h").read_text()
    assert not any(name in listed for name in NAMES)
    assert "#ifdef GRADSTEP_TEST_RULES\n#include GRADSTEP_TEST_RULES\n#endif" in listed


def test_only_the_emulated_device_brings_them():
    """A wheel is built without: the macro is set nowhere but where the option is on."""
    lines = (ROOT / "CMakeLists.txt").read_text()
    assert lines.count("GRADSTEP_TEST_RULES") == 1
    brought = r"if\(GRADSTEP_EMULATED\)\n[^)]*include_directories\(tests/support\)\n.*GRADSTEP_TEST_RULES="
    assert re.search(brought, lines)
    assert re.search(r"option\(GRADSTEP_EMULATED .* OFF\)", lines)
    built = frozenset(_core.rules()) & frozenset(NAMES)
    assert built == (frozenset(NAMES) if BUILT else frozenset())


@needs_rules
def test_all_of_them_are_tested():
    assert sorted(case.declaration.kernel(case.hyper).rule for case in MATRIX_CASES) == sorted(NAMES)
