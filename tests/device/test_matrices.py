"""Rules that use a parameter's rows and columns have the same results on a device as on the CPU."""

import numpy as np
import pytest

from support.arrays import normal
from support.rules_of_tests import BUILT, MATRIX_CASES
from support.twins import Twins, kinds

SHAPES = ((), (1,), (37,), (0, 4), (70, 33), (3, 5000), (300, 1), (5, 4, 67), (2, 3, 70, 9), (200, 1030))
STEPS = 3

pytestmark = pytest.mark.skipif(not BUILT, reason="built without GRADSTEP_EMULATED, with which the tests' rules go")
each_rule = pytest.mark.parametrize("case", MATRIX_CASES, ids=str)


def normals(t, shapes=SHAPES, dtype="f32"):
    return [normal(7919 * t + i, shape, dtype) for i, shape in enumerate(shapes)]


def same_steps(twins, shapes=SHAPES, dtype="f32"):
    for t in range(1, STEPS + 1):
        twins.take(normals(t, shapes, dtype))
        twins.step()
        twins.assert_same()


@pytest.mark.parametrize(("dtype", "of_gradients", "state_dtype"), kinds())
@each_rule
def test_every_dtype(device, case, dtype, of_gradients, state_dtype):
    twins = Twins(device, lambda p: case.over_tensors(p, state_dtype=state_dtype), normals(0, dtype=dtype))
    same_steps(twins, dtype=of_gradients)


@pytest.mark.parametrize(
    "view", [lambda x: x.t(), lambda x: x[1:, 1:], lambda x: x[::2, ::3]], ids=["turned", "shifted", "gaps"]
)
@pytest.mark.parametrize("dtype", ["f64", "f32", "bf16"])
@each_rule
def test_every_layout(device, case, dtype, view):
    shapes = ((70, 33), (130, 1030))
    same_steps(Twins(device, case.over_tensors, normals(0, shapes, dtype), view), shapes, dtype)


@pytest.mark.parametrize("zero_grad", [False, True])
@pytest.mark.parametrize("clip_norm", [None, 0.7])
@each_rule
def test_beside_options(device, case, clip_norm, zero_grad):
    options = {"ema": 0.9, "cast_to": "bf16", "stats": True, "maximize": True, "clip_norm": clip_norm}
    shapes = SHAPES[4:]
    twins = Twins(device, lambda p: case.over_tensors(p, zero_grad=zero_grad, **options), normals(0, shapes))
    for t in range(1, STEPS + 1):
        twins.take(normals(t, shapes))
        twins.step()
        twins.assert_same()
        assert twins.found.stats() == twins.expected.stats()


def test_beside_a_rule_that_sees_no_matrix(device):
    """A group's momentum chooses between such a rule and SGD; then they change places."""
    case = next(case for case in MATRIX_CASES if case.name == "RowScaled")

    def make(params):
        return case.over_tensors([{"params": params[:5]}, {"params": params[5:], "momentum": 0}])

    twins = Twins(device, make, normals(0))
    same_steps(twins)
    for optimizer in (twins.expected, twins.found):
        for group, momentum in zip(optimizer.param_groups, (0, 0.8), strict=True):
            group["momentum"] = momentum
    same_steps(twins)


@each_rule
def test_a_skipped_step_leaves_no_trace(device, case):
    shapes = ((70, 33), (5,))
    twins = Twins(device, lambda p: case.over_tensors(p, skip_nonfinite=True), normals(0, shapes))
    for t in range(1, STEPS + 1):
        gradients = normals(t, shapes)
        if t == 2:
            gradients[0][4, 2] = np.inf
        twins.take(gradients)
        twins.step()
        twins.assert_same()


@each_rule
def test_tensors_that_take_turns(device, case):
    shapes = ((70, 33), (5, 8), (300, 40))
    twins = Twins(device, case.over_tensors, normals(0, shapes))
    for t in range(1, 7):
        twins.take([g if t % 3 != i else None for i, g in enumerate(normals(t, shapes))])
        twins.step()
        twins.assert_same()


@each_rule
def test_a_captured_step(device, case):
    shapes = ((70, 33), (5,))
    twins = Twins(device, case.over_tensors, normals(0, shapes))
    twins.take(normals(1, shapes))
    twins.step()
    step_both = twins.captured()
    for t in range(2, 5):
        twins.renew(normals(t, shapes))
        step_both()
        twins.assert_same()
