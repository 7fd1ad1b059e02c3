"""Rules that see a parameter as matrices: states with a number per row, column, matrix or tensor, and directions that
are changed as a whole before the descent. The library has none of them yet (Adafactor and Muon will be); those of
tests/support/rules_of_tests prove the places.
"""

import copy
import re

import numpy as np
import pytest
import torch

import gradstep
from gradstep import _core
from support.arrays import DTYPES, assert_same_bits, normal, rounded, step_all, to_numpy, to_torch
from support.rules_of_tests import BUILT, MATRIX_CASES, direction_of
from support.tolerances import FEW_ULP, MANY_ROUNDINGS, TENS_OF_ULP

STEPS = 4
SHAPES = {
    "0-D": (),
    "1-D": (37,),
    "2-D": (70, 33),
    "wide": (3, 5000),
    "tall": (300, 1),
    "3-D": (5, 4, 67),
    "4-D": (2, 3, 70, 9),
}
#: more than the core does on one thread, more than one band of rows, and no multiple of anything
LARGE = (331, 1237)
THREADS = (1, 2, 3)

needs_rules = pytest.mark.skipif(not BUILT, reason="built without GRADSTEP_EMULATED, with which the tests' rules go")
each_rule = pytest.mark.parametrize("case", MATRIX_CASES, ids=str)
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def gradients_of(shape, dtype="f32", steps=STEPS):
    return [normal(10 + t, shape, dtype) for t in range(steps)]


def run(case, start, gradients, **options):
    """The parameter and its states by name, after a step for each gradient."""
    p = start.copy(order="K")
    optimizer = step_all(case.over([p], **options), [[g] for g in gradients])
    return {"": p, **optimizer.state[0]}


def assert_same_state(found, expected):
    assert found.keys() == expected.keys()
    for name in found:
        assert_same_bits(found[name], expected[name])


def reference(case, p, gradients, maximize=False, clip_norm=None, ema=None, decoupled=False):
    """The parameter, its average and its states in float64."""
    p, s, h = p.astype(np.float64), {}, case.hyper
    average = p.copy()
    for g in gradients:
        g = (-1 if maximize else 1) * g.astype(np.float64)
        if clip_norm is not None:
            g = g * min(1, clip_norm / (np.linalg.norm(g) + 1e-6))
        if not decoupled:
            g = g + h["weight_decay"] * p
        u = direction_of(case.name, g, s, h).reshape(p.shape)
        p = (1 - h["lr"] * h["weight_decay"] if decoupled else 1) * p - h["lr"] * u
        average = average + (1 - (ema or 0)) * (p - average)
    return p, average, s


@needs_rules
@each_shape
@each_rule
# A step rounds a few times at the size of p, of u times the rate and of the sums: some tens of half ulps in all.
@pytest.mark.parametrize(("dtype", "tolerance"), [("f64", 1e-14), ("f32", 3e-6)])
def test_reference(case, shape, dtype, tolerance):
    start, gradients = normal(1, shape, dtype), gradients_of(shape, dtype)
    found = run(case, start, gradients)
    p, _, states = reference(case, start, gradients)
    np.testing.assert_allclose(found[""], p, rtol=tolerance, atol=tolerance)
    for name, expected in states.items():
        np.testing.assert_allclose(
            found[name], np.reshape(expected, found[name].shape), rtol=20 * tolerance, atol=tolerance
        )


@needs_rules
@pytest.mark.parametrize("shape", [(0,), (0, 4), (4, 0)], ids=str)
@each_rule
def test_no_elements(case, shape):
    """A mean over nothing would be NaN: the states stay as they were made."""
    found = run(case, normal(1, shape), gradients_of(shape))
    assert not any(np.any(values) for name, values in found.items() if name != "step")


@needs_rules
@each_rule
@pytest.mark.parametrize("decoupled", [False, True])
def test_beside_options(case, decoupled):
    start, gradients = normal(1, (70, 33), "f64"), gradients_of((70, 33), "f64")
    options = {"maximize": True, "clip_norm": 5.0, "ema": 0.75}
    found = run(case, start, gradients, decoupled_weight_decay=decoupled, **options)
    p, average, _ = reference(case, start, gradients, decoupled=decoupled, **options)
    np.testing.assert_allclose(found[""], p, rtol=MANY_ROUNDINGS, atol=TENS_OF_ULP)
    np.testing.assert_allclose(found["ema"], average, rtol=MANY_ROUNDINGS, atol=TENS_OF_ULP)


@needs_rules
@each_rule
def test_cautious_decay_follows_what_the_directions_have_become(case):
    start, gradients = normal(1, (9, 7), "f64"), gradients_of((9, 7), "f64", steps=1)
    h = case.hyper
    found = run(case, start, gradients, decoupled_weight_decay=True, cautious=True)
    u = direction_of(case.name, gradients[0], {}, h)
    kept = np.where(u * start < 0, 1, 1 - h["lr"] * h["weight_decay"])
    np.testing.assert_allclose(found[""], kept * start - h["lr"] * u, rtol=TENS_OF_ULP, atol=FEW_ULP)


@needs_rules
@each_shape
@each_rule
def test_the_states_have_their_shapes(case, shape):
    p = normal(1, shape)
    optimizer = step_all(case.over([p]), [[normal(2, shape)]])
    expected = {
        "row_sq": (*shape[:-1], 1),
        "column_sq": (*shape[:-2], *(1 for _ in shape[-2:-1]), *shape[-1:]),
        "matrix_sq": (*shape[:-2], *(1 for _ in shape[-2:])),
        "mean_sq": tuple(1 for _ in shape),
        "momentum_buffer": shape,
        "step": (),
    }
    for name, value in optimizer.state[0].items():
        assert value.shape == (expected[name] if shape else ())


@needs_rules
@pytest.mark.parametrize("state_dtype", [None, "param"])
@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@each_rule
def test_sixteen_bits(case, dtype, state_dtype):
    """Decoded, stepped in float32 and encoded: one step, by which the states are known in float32."""
    start, gradients = normal(1, (70, 33), dtype), gradients_of((70, 33), dtype, steps=1)
    found = run(case, start, gradients, state_dtype=state_dtype)
    wide = run(case, start.astype(np.float32), [g.astype(np.float32) for g in gradients])
    for name, values in wide.items():
        kept = values if found[name].dtype == values.dtype else rounded(values, dtype)
        assert_same_bits(found[name], kept)
    assert found[""].dtype == DTYPES[dtype]


def turned(array):
    """The same array with its dimensions the other way round in memory."""
    return np.array(array.T, order="C").T


def spread(array):
    memory = np.full([3 * n for n in array.shape], 77, array.dtype)
    memory[tuple(slice(None, None, 3) for _ in array.shape)] = array
    return memory[tuple(slice(None, None, 3) for _ in array.shape)]


@needs_rules
@pytest.mark.parametrize("lay", [turned, spread])
@pytest.mark.parametrize("shape", [(37,), (70, 33), (5, 4, 67), (2, 3, 70, 9)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@each_rule
def test_layouts(case, dtype, shape, lay):
    """Rows and columns are those of the indices, so any layout gives the bits of the contiguous one."""
    start, gradients = normal(1, shape, dtype), gradients_of(shape, dtype)
    expected = run(case, start, gradients)
    p = lay(start)
    optimizer = step_all(case.over([p]), [[lay(g)] for g in gradients])
    assert_same_state({"": p, **optimizer.state[0]}, expected)


@needs_rules
@each_rule
def test_a_state_may_lie_anywhere(case):
    start, gradients = normal(1, (70, 33)), gradients_of((70, 33))
    expected = run(case, start, gradients)
    p = start.copy()
    optimizer = step_all(case.over([p]), [[gradients[0]]])
    for name, value in optimizer.state[0].items():
        if value.ndim:
            optimizer.state[0][name] = turned(spread(value))
    step_all(optimizer, [[g] for g in gradients[1:]])
    assert_same_state({"": p, **optimizer.state[0]}, expected)


@needs_rules
@pytest.mark.parametrize("dtype", ["f32", "bf16"])
@each_rule
def test_threads(case, dtype):
    options = {"clip_norm": 5.0, "ema": 0.9, "stats": True}
    start, gradients = normal(1, LARGE, dtype), gradients_of(LARGE, dtype, steps=2)
    found = []
    for threads in THREADS:
        gradstep.set_num_threads(threads)
        found.append(run(case, start, gradients, **options))
    for other in found[1:]:
        assert_same_state(other, found[0])


@needs_rules
@pytest.mark.parametrize("dtype", ["f32", "f64", "bf16"])
@each_rule
def test_targets(case, dtype):
    active = _core.active_target()
    start, gradients = normal(1, (70, 33), dtype), gradients_of((70, 33), dtype)
    try:
        found = []
        for target in _core.targets():
            _core.select_target(target)
            found.append(run(case, start, gradients, clip_norm=5.0))
    finally:
        _core.select_target(active)
    for other in found[1:]:
        assert_same_state(other, found[0])


@needs_rules
@each_rule
def test_stats(case):
    start, gradients = normal(1, (70, 33), "f64"), gradients_of((70, 33), "f64", steps=1)
    p = start.copy()
    optimizer = step_all(case.over([p], stats=True), [gradients])
    stats = optimizer.stats()
    assert stats.gradient_norm == pytest.approx(np.linalg.norm(gradients[0]), rel=TENS_OF_ULP)
    assert stats.update_norm == pytest.approx(np.linalg.norm(p - start), rel=MANY_ROUNDINGS)
    assert stats.parameter_norm == pytest.approx(np.linalg.norm(p), rel=TENS_OF_ULP)


@needs_rules
@each_rule
def test_gradients_are_zeroed_once_they_are_used(case):
    start, gradients = normal(1, (70, 33)), gradients_of((70, 33))
    expected = run(case, start, gradients)
    used = [g.copy() for g in gradients]
    assert_same_state(run(case, start, used, zero_grad=True), expected)
    assert not any(g.any() for g in used)


@needs_rules
@each_rule
def test_a_skipped_step_leaves_no_trace(case):
    p = normal(1, (9, 7))
    optimizer = step_all(case.over([p], skip_nonfinite=True), [[normal(2, (9, 7))]])
    before = copy.deepcopy({"": p, **optimizer.state[0]})
    bad = normal(3, (9, 7))
    bad[4, 2] = np.nan
    optimizer.step([bad])
    assert_same_state({"": p, **optimizer.state[0]}, before)
    optimizer.step([normal(4, (9, 7))])
    assert not np.array_equal(p, before[""])


@needs_rules
@each_rule
def test_a_step_that_is_refused_leaves_no_trace(case):
    p, q = normal(1, (9, 7)), normal(2, (9, 7))
    optimizer = step_all(case.over([p, q]), [[normal(3, (9, 7)), normal(4, (9, 7))]])
    before = copy.deepcopy([{"": a, **state} for a, state in zip((p, q), optimizer.state, strict=True)])
    with pytest.raises(ValueError, match=re.escape("the gradient of parameter 1 has shape (9, 8)")):
        optimizer.step([normal(5, (9, 7)), normal(6, (9, 8))])
    for a, state, expected in zip((p, q), optimizer.state, before, strict=True):
        assert_same_state({"": a, **state}, expected)


@needs_rules
@each_rule
def test_micro_batches(case):
    """``accumulate`` forms the sums before the update reduces them."""
    start, gradients = normal(1, (70, 33), "f64"), gradients_of((70, 33), "f64")
    found = run(case, start, gradients, accumulate=2)
    means = [(a + b) / 2 for a, b in zip(gradients[::2], gradients[1::2], strict=True)]
    np.testing.assert_allclose(found[""], reference(case, start, means)[0], rtol=MANY_ROUNDINGS, atol=TENS_OF_ULP)


@needs_rules
@each_rule
def test_release(case):
    starts = [normal(1, (9, 7)), normal(2, (5,))]
    found = []
    for release in (False, True):
        params = [torch.nn.Parameter(to_torch(start.copy())) for start in starts]
        optimizer = case.over_tensors(params, release=release)
        for t in range(3):
            sum((p * to_torch(normal(5 * t + i, tuple(p.shape)))).sum() for i, p in enumerate(params)).backward()
            optimizer.step()
            optimizer.zero_grad()
        found.append([to_numpy(p) for p in params])
    for a, b in zip(*found, strict=True):
        assert_same_bits(a, b)


@needs_rules
@each_rule
def test_tensors(case):
    start, gradients = normal(1, (70, 33)), gradients_of((70, 33))
    expected = run(case, start, gradients)
    p = torch.nn.Parameter(to_torch(start.copy()))
    optimizer = case.over_tensors([p])
    for g in gradients:
        p.grad = to_torch(g)
        optimizer.step()
    assert_same_bits(to_numpy(p), expected[""])
    for name, value in optimizer.state[p].items():
        if name != "step":  # a float32 beside torch parameters
            assert_same_bits(to_numpy(value), expected[name])


@needs_rules
def test_a_rule_that_sees_no_matrix_takes_its_turn():
    """A group's momentum chooses between such a rule and SGD, which visits the elements in another order."""
    case = next(case for case in MATRIX_CASES if case.name == "RowScaled")
    p = turned(normal(1, (70, 33), "f64"))
    expected, h, m = p.copy(), {**case.hyper, "weight_decay": 0}, 0
    optimizer = case.over([p], weight_decay=0)
    for t, momentum in enumerate([0.8, 0.8, 0, 0, 0.8]):
        g = turned(normal(10 + t, (70, 33), "f64"))
        optimizer.param_groups[0]["momentum"] = momentum
        optimizer.step([g])
        if momentum:
            m = momentum * m + g
        u = m / np.abs(m).max(-1, keepdims=True) if momentum else g
        expected = expected - h["lr"] * u
        np.testing.assert_allclose(p, expected, rtol=MANY_ROUNDINGS, atol=TENS_OF_ULP)
