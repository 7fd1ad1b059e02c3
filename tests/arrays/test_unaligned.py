"""Arrays that lie at no multiple of their numbers' size, which .ci/run tries under UndefinedBehaviorSanitizer too."""

import numpy as np
import pytest

import gradstep
from support.arrays import DTYPES, assert_same_bits, normal
from support.cases import ONE_EACH

SIZE = 4096 + 1027  # blocks, registers and a part of one
OPTIONS = {
    "as it is": {},
    "measured": {"stats": True, "clip_norm": 0.5, "skip_nonfinite": True},
    "averaged and copied": {"ema": 0.5, "cast_to": "f16", "zero_grad": True},
    "states in the parameter's dtype": {"state_dtype": "param"},
    "accumulated": {"accumulate": 2, "clip_value": 0.5},
}


def shifted(array):
    """The same array, contiguous, one byte beyond a multiple of its numbers' size."""
    memory = np.zeros(array.nbytes + 64 + 1, np.uint8)
    start = -memory.ctypes.data % 64 + 1
    view = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    view[...] = array
    assert view.ctypes.data % array.itemsize == 1
    return view


def run(case, dtype, options, place):
    p = place(normal(0, SIZE, dtype))
    optimizer = case.over([p], **options)
    for t in (1, 2, 3, 4):
        optimizer.step([place(normal(t, SIZE, dtype))])
        if t == 2:
            for state in optimizer.state:
                state.update({name: place(array) for name, array in state.items() if array.ndim})
    return [p, *optimizer.state[0].values()], optimizer


@pytest.mark.grid
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("case", ONE_EACH, ids=lambda case: case.kernel)
def test_steps(case, options, dtype):
    found, shifted_optimizer = run(case, dtype, OPTIONS[options], shifted)
    expected, optimizer = run(case, dtype, OPTIONS[options], np.array)
    for a, b in zip(found, expected, strict=True):
        assert_same_bits(np.array(a), np.array(b))
    if "stats" in OPTIONS[options]:
        assert shifted_optimizer.stats() == optimizer.stats()


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_of_another_dtype(dtype):
    for other in DTYPES:
        p, q = normal(0, SIZE, dtype), normal(0, SIZE, dtype)
        g = normal(1, SIZE, other)
        gradstep.Adam([p := shifted(p)], lr=0.1, cast_to="bf16", stats=True).step([shifted(g)])
        gradstep.Adam([q], lr=0.1).step([g])
        assert_same_bits(np.array(p), q)


@pytest.mark.parametrize("dtype", DTYPES)
def test_calls_apart_from_a_step(dtype):
    functional = gradstep.functional

    def run(place):
        g, p, average = (place(normal(seed, SIZE, dtype)) for seed in range(3))
        copy = place(np.zeros(SIZE, DTYPES["f16" if dtype == "bf16" else "bf16"]))
        norm = functional.norm([g])
        functional.unscale_([g], 2.0)
        functional.clip_norm_([g], 0.5)
        functional.clip_value_([g], 0.01)
        functional.average_([average], [p], 0.25)
        functional.cast_([copy], [p])
        clipped = np.array(g)
        functional.zero_([g])
        return [np.array(norm), clipped, np.array(average), np.array(copy), np.array(g)]

    for a, b in zip(run(shifted), run(np.array), strict=True):
        assert_same_bits(a, b)


@pytest.mark.parametrize("lazy_rows", [False, True])
def test_rows(lazy_rows):
    def run(place):
        table = place(normal(0, (40, 33)))
        optimizer = gradstep.SGD([table], lr=0.5, lazy_rows=lazy_rows)
        numbers = place(np.array([3, 1, 3, 39], np.int64))
        optimizer.step([gradstep.Rows(numbers, place(normal(1, (4, 33))))])
        if lazy_rows:
            optimizer.catch_up(table, place(np.array([0, 1], np.int64)))
        return np.array(table)

    assert_same_bits(run(shifted), run(np.array))


def test_steps_of_a_schedule():
    t = np.arange(1000)
    schedule = gradstep.CosineDecay(0.1, 500)
    assert_same_bits(schedule(shifted(t)), schedule(t))


def test_numbers_of_a_state():
    p, q = normal(0, 5), normal(0, 5)
    for array, place in ((p, shifted), (q, np.array)):
        optimizer = gradstep.NAdam([array], lr=0.1)
        for t in range(3):
            optimizer.step([normal(t, 5)])
            optimizer.state[0].update({name: place(value) for name, value in optimizer.state[0].items()})
    assert_same_bits(p, q)
