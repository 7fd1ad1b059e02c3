"""Any layout of the parameter and the gradient without self-overlap gives the bits of the contiguous one, except that
sums over a tensor are added in the order of its memory.
"""

import ml_dtypes
import numpy as np
import pytest

import gradstep
from support.arrays import DTYPES, assert_same_bits, normal, step_all, to_numpy, to_torch
from support.cases import ONE_EACH

STEPS = 3
SHAPE = (6, 5, 7, 11)

each_rule = pytest.mark.parametrize("case", ONE_EACH, ids=lambda case: case.kernel)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def dense(array, order):
    """The same array with its dimensions in another order in memory."""
    memory = np.ascontiguousarray(array.transpose(order))
    return memory.transpose(np.argsort(order))


def strided(array, steps):
    """The same array in every ``steps``-th place of a larger one; a negative step runs backwards."""
    memory = np.full([n * abs(s) for n, s in zip(array.shape, steps, strict=True)], 77, array.dtype)
    view = memory[tuple(slice(None, None, s) for s in steps)]
    view[...] = array
    return view


def field(array):
    """The same array as a packed record's field: unaligned, with strides that no element's size divides."""
    records = np.zeros(array.shape, np.dtype([("a", "i1"), ("x", array.dtype), ("b", "i1", 2)]))
    records["x"] = array
    return records["x"]


def sliced(array):
    memory = np.full([n + 3 for n in array.shape], 77, array.dtype)
    view = memory[tuple(slice(2, -1) for _ in array.shape)]
    view[...] = array
    return view


LAYOUTS = {
    "contiguous": np.array,
    "fortran": lambda a: dense(a, (3, 2, 1, 0)),
    "channels last": lambda a: dense(a, (0, 2, 3, 1)),
    "transposed": lambda a: dense(a, (0, 1, 3, 2)),
    "sliced": sliced,
    "every second": lambda a: strided(a, (1, 1, 1, 2)),
    "every third row": lambda a: strided(a, (1, 3, 1, 1)),
    "backwards": lambda a: strided(a, (-1, -1, -1, -1)),
    "partly backwards": lambda a: strided(a, (1, -2, 1, -1)),
    "field": field,
}


def run(case, p, gradients, **options):
    optimizer = step_all(case.over([p], **options), [[g] for g in gradients])
    return [p.copy(), *(np.array(v) for v in optimizer.state[0].values())]


def assert_same(case, found, expected):
    if case.scope == "element":
        assert_same_bits(found, expected)
        return
    # The sums are of float64, but a half of an ulp may fall on the other side when a few updates round to the dtype.
    assert found.dtype == expected.dtype
    tolerance = 4 * float(ml_dtypes.finfo(found.dtype).eps)
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=tolerance, atol=tolerance)


def assert_all_same(case, found, expected):
    for a, b in zip(found, expected, strict=True):
        assert_same(case, a, b)


@pytest.mark.grid
@each_dtype
@pytest.mark.parametrize("layout", LAYOUTS)
@each_rule
def test_layouts(case, layout, dtype):
    start = normal(0, SHAPE, dtype)
    gradients = [normal(t, SHAPE, dtype) for t in range(1, STEPS + 1)]
    expected = run(case, start.copy(), gradients)
    change = LAYOUTS[layout]
    both = run(case, change(start), [change(g) for g in gradients])
    parameter_alone = run(case, change(start), gradients)
    gradient_alone = run(case, start.copy(), [change(g) for g in gradients])
    for found in (both, parameter_alone, gradient_alone):
        assert_all_same(case, found, expected)


@pytest.mark.parametrize("layout", ["sliced", "every second", "backwards", "partly backwards"])
@each_rule
def test_nothing_between_the_elements_is_written(case, layout):
    p = LAYOUTS[layout](normal(0, SHAPE))
    memory = p
    while memory.base is not None:
        memory = memory.base
    ours = np.zeros(memory.shape, bool)
    offset = (p.ctypes.data - memory.ctypes.data) // p.itemsize
    marks = np.lib.stride_tricks.as_strided(ours.reshape(-1)[offset:], p.shape, [s // 4 for s in p.strides])
    marks[...] = True
    run(case, p, [normal(1, SHAPE)])
    assert (memory[~ours] == 77).all()
    assert not (memory[ours] == 77).any()


@each_rule
def test_large_layouts_on_many_threads(case):
    # Chunks that begin in the middle of a row of a strided tensor.
    shape = (301, 997)
    start, gradient = normal(0, shape), normal(1, shape)
    expected = run(case, start.copy(), [gradient] * 2)
    for change in (
        field,
        lambda a: strided(a, (1, 2)),
        lambda a: dense(a, (1, 0)),
        lambda a: strided(a, (-1, -1)),
    ):
        for threads in (1, 3):
            gradstep.set_num_threads(threads)
            assert_all_same(case, run(case, change(start), [change(gradient), gradient]), expected)


@each_rule
def test_a_layout_may_change_between_steps(case):
    start = normal(0, SHAPE)
    gradients = [normal(t, SHAPE) for t in range(1, len(LAYOUTS) + 1)]
    expected = run(case, start.copy(), gradients)
    found = run(case, start.copy(), [c(g) for c, g in zip(LAYOUTS.values(), gradients, strict=True)])
    assert_all_same(case, found, expected)


@each_rule
def test_strides_of_dimensions_of_one_do_not_matter(case):
    start, gradient = normal(0, (4, 1, 9)), normal(1, (4, 1, 9))
    expected = run(case, start.copy(), [gradient])
    odd = [36, 12345, 4]
    p = np.lib.stride_tricks.as_strided(start.copy(), start.shape, odd)
    g = np.lib.stride_tricks.as_strided(gradient, gradient.shape, [36, -3, 4])
    optimizer = case.over([p])
    optimizer.step([g])
    assert_same_bits(p, expected[0])
    assert optimizer._plan.gathered() == 0, "a dense tensor took the path for other layouts"


@pytest.mark.parametrize("layout", ["contiguous", "fortran", "channels last", "transposed"])
def test_equal_dense_layouts_take_the_straight_path(layout):
    p, g = LAYOUTS[layout](normal(0, SHAPE)), LAYOUTS[layout](normal(1, SHAPE))
    optimizer = gradstep.Adam([p])
    optimizer.step([g])
    assert optimizer._plan.gathered() == 0
    optimizer.step([LAYOUTS["sliced"](g)])
    assert optimizer._plan.gathered() == 1


@each_rule
def test_an_expanded_gradient(case):
    # Of a sum, say: stride 0 in every dimension. Only an expanded parameter is refused.
    gradient = np.broadcast_to(np.float32(0.75), (40, 3))
    start = normal(0, (40, 3))
    assert_all_same(case, run(case, start.copy(), [gradient]), run(case, start, [np.array(gradient)]))


@pytest.mark.parametrize("case", [case for case in ONE_EACH if case.scope != "all"], ids=lambda case: case.kernel)
def test_scalars_and_empty_arrays(case):
    arrays = [normal(0, ()), normal(1, (0,)), normal(2, (3, 0, 2)), normal(3, (1,)), normal(4, (2,))]
    arrays = [np.asarray(a) for a in arrays]
    gradients = [np.asarray(normal(10 + i, a.shape)) for i, a in enumerate(arrays)]
    alone = normal(4, (2,))
    step_all(case.over(arrays), [gradients] * 2)
    step_all(case.over([alone]), [[gradients[4]]] * 2)
    assert_same_bits(arrays[4], alone)
    flat = np.asarray(normal(0, ())).reshape(1)
    step_all(case.over([flat]), [[gradients[0].reshape(1)]] * 2)
    assert_same_bits(arrays[0].reshape(1), flat)
    assert [a.shape for a in arrays] == [(), (0,), (3, 0, 2), (1,), (2,)]


@each_rule
def test_interleaved_views_of_one_array(case):
    # Their extents meet, their elements do not.
    memory = normal(0, 60)
    expected = [memory[k::3].copy() for k in range(3)]
    gradients = [normal(k + 1, 20) for k in range(3)]
    step_all(case.over([memory[k::3] for k in range(3)]), [gradients] * 2)
    step_all(case.over(expected), [gradients] * 2)
    for k in range(3):
        assert_same_bits(memory[k::3].copy(), expected[k])


@each_rule
def test_torchs_layouts(case):
    torch = pytest.importorskip("torch")
    start = normal(0, SHAPE)
    gradients = [normal(t, SHAPE) for t in range(1, STEPS + 1)]
    expected = run(case, start.copy(), gradients)
    row = torch.zeros(SHAPE[0], SHAPE[1], SHAPE[2], 4 * SHAPE[3])
    places = [
        to_torch(start.copy()).to(memory_format=torch.channels_last),
        row[..., ::4],
        to_torch(start.copy()).permute(3, 1, 0, 2).contiguous().permute(2, 1, 3, 0),
    ]
    places[1].copy_(to_torch(start))
    for p in places:
        optimizer = case.over_tensors([p])
        for g, change in zip(gradients, (np.array, *list(LAYOUTS.values())[1:3]), strict=True):
            p.grad = to_torch(change(g))
            optimizer.step()
        assert_same(case, to_numpy(p).copy(), expected[0])
        for name in case.over([start]).kernel(case.group()).arrays:
            assert optimizer.state[p][name].shape == p.shape


@pytest.mark.parametrize("dtype", ["f16", "f32"])
def test_positions_beyond_2_to_31(dtype):
    # Three elements at distant addresses; the reserved memory between them is never touched.
    kind = DTYPES[dtype]
    try:
        memory = np.empty(2**32 + 2**20, kind)
    except MemoryError:
        pytest.skip("this machine does not reserve that much address space")
    view = memory[:: 2**31]
    assert len(view) == 3
    view[...] = normal(0, 3, dtype)
    expected = view.copy()
    gradient = normal(1, 3, dtype)
    step_all(gradstep.SGD([view], lr=0.5), [[gradient]])
    step_all(gradstep.SGD([expected], lr=0.5), [[gradient]])
    assert_same_bits(view.copy(), expected)
    far = memory[2**32 : 2**32 + 5000]
    far[...] = normal(2, 5000, dtype)
    expected, gradient = far.copy(), normal(3, 5000, dtype)
    step_all(gradstep.SGD([far], lr=0.5), [[gradient]])
    step_all(gradstep.SGD([expected], lr=0.5), [[gradient]])
    assert_same_bits(far.copy(), expected)
