"""Foreign code that runs while a step reads its arrays and moves or replaces those already read; and states that are
replaced and restored.
"""

import copy

import numpy as np
import pytest

import gradstep
from support.arrays import DTYPES, assert_same_bits, normal
from support.cases import ONE_EACH

SIZE = 40


class Acting:
    """A gradient that runs an action when it is read."""

    def __init__(self, array, act):
        self.array, self.acts = array, [act]

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __dlpack__(self, **options):
        if self.acts:
            self.acts.pop()()
        return self.array.__dlpack__(**options)


def training(dtype):
    """Two parameters: one in the dtype, and one whose gradient NumPy can offer by DLPack."""
    arrays = [normal(1, SIZE, dtype), normal(2, SIZE)]
    optimizer = gradstep.Adam(arrays, lr=0.1)
    optimizer.step([normal(3, SIZE, dtype), normal(4, SIZE)])
    return arrays, optimizer


def move(array):
    """Give an array other memory, so that a stored address becomes invalid."""
    array.resize((SIZE + 100_000,), refcheck=False)
    array.resize((SIZE,), refcheck=False)


def replace_state(optimizer):
    optimizer.state[0]["exp_avg"] = optimizer.state[0]["exp_avg"].copy()


def replace_dict(optimizer):
    optimizer.state[0] = copy.deepcopy(optimizer.state[0])


ACTS = {
    "parameter": lambda arrays, optimizer, gradients: move(arrays[0]),
    "parameter of that gradient": lambda arrays, optimizer, gradients: move(arrays[1]),
    "state of that gradient's": lambda arrays, optimizer, gradients: move(optimizer.state[1]["exp_avg"]),
    "gradient": lambda arrays, optimizer, gradients: move(gradients[0]),
    "state": lambda arrays, optimizer, gradients: move(optimizer.state[0]["exp_avg"]),
    "replaced state": lambda arrays, optimizer, gradients: replace_state(optimizer),
    "replaced dict": lambda arrays, optimizer, gradients: replace_dict(optimizer),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("act", ACTS)
def test_what_moves_while_a_step_reads_is_stepped_where_it_then_is(act, dtype):
    arrays, optimizer = training(dtype)
    twins, twin = training(dtype)
    gradients = [normal(5, SIZE, dtype), normal(6, SIZE)]
    twin.step(gradients)
    given = [gradients[0], Acting(gradients[1], lambda: ACTS[act](arrays, optimizer, gradients))]
    optimizer.step(given)
    assert not given[1].acts
    for i in range(2):
        assert_same_bits(arrays[i], twins[i])
        for name, value in twin.state[i].items():
            assert_same_bits(optimizer.state[i][name], value)


def test_a_state_that_comes_back_after_a_refusal_is_stepped():
    arrays, optimizer = training("f32")
    twins, twin = training("f32")
    kept = optimizer.state[1]["exp_avg"]
    gradients = [normal(5, SIZE), normal(6, SIZE)]
    optimizer.step(gradients)
    twin.step(gradients)

    def replace():
        optimizer.state[1]["exp_avg"] = np.zeros(SIZE + 1, np.float32)

    acting = Acting(gradients[0], replace)
    acting.acts.append(replace)  # at the second reading again
    with pytest.raises(RuntimeError, match=r"state was changed .*during its step"):
        optimizer.step([acting, gradients[1]])
    optimizer.state[1]["exp_avg"] = kept
    optimizer.step(gradients)
    twin.step(gradients)
    for i in range(2):
        assert_same_bits(arrays[i], twins[i])
    assert optimizer.state[1]["exp_avg"] is kept
    assert_same_bits(kept, twin.state[1]["exp_avg"])


def test_a_state_replaced_at_each_reading_is_refused():
    # Prodigy's numbers are those of all parameters, so that a state is never bound alone.
    arrays = [normal(1, SIZE), normal(2, SIZE)]
    optimizer = gradstep.Prodigy(arrays)
    gradients = [normal(3, SIZE), normal(4, SIZE)]
    optimizer.step(gradients)
    acting = Acting(gradients[1], lambda: replace_state(optimizer))
    acting.acts *= 3  # two readings, and one after the states were bound anew
    before = [array.copy() for array in arrays]
    with pytest.raises(RuntimeError, match="changed by another thread, or by code"):
        optimizer.step([gradients[0], acting])
    for array, kept in zip(arrays, before, strict=True):
        assert_same_bits(array, kept)


def test_a_state_cleared_after_the_first_step_starts_afresh():
    arrays, optimizer = training("f32")
    optimizer.state[0].clear()
    fresh = arrays[0].copy()
    afresh = gradstep.Adam([fresh], lr=0.1)
    optimizer.step([normal(5, SIZE), normal(6, SIZE)])
    afresh.step([normal(5, SIZE)])
    assert_same_bits(arrays[0], fresh)
    assert set(optimizer.state[0]) == set(afresh.state[0])


@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"ema": 0.5}], ids=str)
@pytest.mark.parametrize("case", ONE_EACH, ids=str)
def test_a_list_of_parameters_that_grows_while_a_step_reads_is_refused_by_the_next(case, options):
    arrays, twins = [normal(1, SIZE), normal(2, SIZE)], [normal(1, SIZE), normal(2, SIZE)]
    optimizer, twin = case.over(arrays, **options), case.over(twins, **options)
    gradients = [normal(3, SIZE), normal(4, SIZE)]
    twin.step(gradients)
    listed = optimizer.param_groups[0]["params"]
    optimizer.step([Acting(gradients[0], lambda: listed.append(normal(5, SIZE))), gradients[1]])
    for p, q in zip(arrays, twins, strict=True):
        assert_same_bits(p, q)
    with pytest.raises(ValueError, match="2 gradients, but the groups hold 3 parameters: a group's list of parameters"):
        optimizer.step(gradients)
    for p, q in zip(arrays, twins, strict=True):
        assert_same_bits(p, q)
