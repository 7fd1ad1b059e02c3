"""Complex parameters are stepped as pairs of reals: with the bits of the step over a view of their reals."""

import copy

import numpy as np
import pytest

import gradstep
from gradstep import functional, rules
from gradstep.logs.norms import copies, norm, norm_of_change
from support.arrays import assert_same_bits
from support.cases import CASES
from support.tolerances import SINGLE

SHAPE = (5, 7)
STEPS = 3
PARTS = {np.dtype(np.complex64): np.float32, np.dtype(np.complex128): np.float64}

#: SparseAdam refuses them, as torch's does
COMPLEX_CASES = [case for case in CASES if getattr(rules, case.name).takes_complex]
each_rule = pytest.mark.parametrize("case", COMPLEX_CASES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", PARTS, ids=str)

LAYOUTS = {
    "contiguous": lambda a: a,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "of a field": lambda a: np.stack([a, a], axis=-1)[..., 0],
}

OPTIONS = {
    "average": {"ema": 0.75, "ema_bias_correction": True},
    "norm": {"clip_norm": 0.5, "stats": True},
    "value": {"clip_value": 0.25, "maximize": True},
    "decay": {"weight_decay": 0.3, "decoupled_weight_decay": True, "cautious": True},
    "zeroed": {"zero_grad": True, "skip_nonfinite": True},
    "accumulated": {"accumulate": 2},
}


def numbers(seed, shape=SHAPE, dtype=np.complex64):
    parts = np.random.default_rng(seed).standard_normal((2, *shape))
    return np.asarray(parts[0] + 1j * parts[1]).astype(dtype)


def reals(array):
    """The memory of an array, where complex numbers are pairs of reals."""
    if array.dtype.kind != "c":
        return array
    parts = array.real
    return np.lib.stride_tricks.as_strided(parts, (*array.shape, 2), (*array.strides, parts.itemsize))


def assert_same_memory(found, expected):
    assert_same_bits(np.array(reals(found)), np.array(expected))


def assert_same_states(found, expected):
    for mine, other in zip(found, expected, strict=True):
        assert set(mine) == set(other)
        for name, values in mine.items():
            assert_same_memory(values, other[name])


def assert_steps_as_pairs(make, arrays, gradients, **how):
    """The steps of two optimizers that ``make`` makes, over the arrays and over their reals."""
    pairs = [reals(copy.deepcopy(a)) for a in arrays]
    ours, twin = make(arrays), make(pairs)
    for each in gradients:
        ours.step(copy.deepcopy(each), **how)
        twin.step([reals(copy.deepcopy(g)) for g in each], **how)
    for mine, other in zip(arrays, pairs, strict=True):
        assert_same_memory(mine, other)
    assert_same_states(ours.state, twin.state)
    return ours, twin


@each_dtype
@each_rule
def test_a_step_has_the_bits_of_one_over_reals(case, dtype):
    arrays = [numbers(0, dtype=dtype), numbers(1, (), dtype), numbers(2, (3, 1, 2), dtype)]
    gradients = [[numbers(10 * t + i, a.shape, dtype) for i, a in enumerate(arrays)] for t in range(1, STEPS + 1)]
    ours, _ = assert_steps_as_pairs(case.over, arrays, gradients)
    for array, state in zip(arrays, ours.state, strict=True):
        assert {a.dtype for a in state.values() if a.ndim} <= {array.dtype}


@pytest.mark.parametrize("layout", LAYOUTS)
@each_rule
def test_layouts(case, layout):
    gradients = [[LAYOUTS[layout](numbers(1))], [numbers(2)], [LAYOUTS["transposed"](numbers(3))]]
    assert_steps_as_pairs(case.over, [LAYOUTS[layout](numbers(0))], gradients)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("name", ["SGD", "AdamW", "LAMB"])
def test_options(name, options):
    arrays = [numbers(0), numbers(1, (9,))]
    gradients = [[numbers(10 * t + i, a.shape) for i, a in enumerate(arrays)] for t in range(1, 5)]
    gradients[1][0].imag[2, 3] = np.nan if options.get("skip_nonfinite") else 1.0
    make = lambda given: getattr(gradstep, name)(given, lr=0.1, **options)  # noqa: E731
    ours, twin = assert_steps_as_pairs(make, arrays, gradients, grad_scale=4.0)
    if options.get("stats"):
        assert ours.stats() == twin.stats()
        last = np.concatenate([g.ravel() for g in gradients[-1]]) / 4
        assert ours.stats().gradient_norm == pytest.approx(np.linalg.norm(last), rel=SINGLE)  # f32 numbers
    if "ema" in options:
        assert_same_memory(ours.averages.arrays()[0], twin.averages.arrays()[0])
        with ours.averages.swapped_in():
            assert_same_bits(arrays[0], ours.averages.arrays()[0])


def test_gradients_are_zeroed_whole():
    gradient = numbers(1)
    gradstep.SGD([numbers(0)], lr=0.1, zero_grad=True).step([gradient])
    assert not gradient.any()


@pytest.mark.parametrize("lazy", [False, True])
def test_rows(lazy):
    table = numbers(0, (6, 3))
    pairs = reals(table.copy())
    ours, twin = (gradstep.Adagrad([p], lr=0.1, lazy_rows=lazy) for p in (table, pairs))
    for seed in (1, 2):
        indices, values = np.array([4, 1, 4]), numbers(seed, (3, 3))
        ours.step([gradstep.Rows(indices, values)])
        twin.step([gradstep.Rows(indices, reals(values))])
    ours.catch_up()
    twin.catch_up()
    assert_same_memory(table, pairs)


@pytest.mark.parametrize("name", [name for name in rules.ALL if getattr(rules, name).takes_complex])
def test_the_bare_updates(name):
    group = getattr(gradstep, name)([numbers(0)]).param_groups[0]
    rule = getattr(rules, name)
    arrays = [numbers(i) for i in range(2 + len(rule.kernel(group).arrays))]
    pairs = [reals(a.copy()) for a in arrays]
    kept = [[np.full((), 0.5) for _ in rule.numbers[1:]] for _ in range(2)]
    for given, more in zip((arrays, pairs), kept, strict=True):
        getattr(functional, f"{name.lower()}_")(*given, *more, step=1)
    for mine, other in zip(arrays, pairs, strict=True):
        assert_same_memory(mine, other)


def test_the_calls_around_an_update():
    g, average, p = numbers(0), numbers(1), numbers(2)
    g2, average2, p2 = (reals(a.copy()) for a in (g, average, p))
    assert functional.norm(g) == functional.norm(g2)
    assert functional.unscale_(g, 2.0) is functional.unscale_(g2, 2.0) is False
    assert functional.clip_norm_(g, 0.5) == functional.clip_norm_(g2, 0.5)
    functional.clip_value_(g, 0.05)
    functional.clip_value_(g2, 0.05)
    functional.average_(average, p, 0.75)
    functional.average_(average2, p2, 0.75)
    wide = np.zeros(SHAPE, np.complex128)
    functional.cast_(wide, p)
    assert_same_memory(g, g2)
    assert_same_memory(average, average2)
    assert_same_memory(wide, reals(p.astype(np.complex128)))
    functional.zero_([g])
    assert not g.any()


def test_norms_count_magnitudes():
    array = np.array([3.0 + 4.0j, 0.0], np.complex64)
    assert norm([array, None]) == 5.0
    before = copies([array])
    array[1] = 6 - 8j
    assert norm_of_change(before, [array]) == 10.0


def test_a_state_dict_goes_on(tmp_path):
    arrays, more = [numbers(0)], [numbers(0)]
    ours = gradstep.Adam(arrays, lr=0.1, ema=0.9)
    ours.step([numbers(1)])
    more[0][...] = arrays[0]
    twin = gradstep.Adam(more, lr=0.1, ema=0.9)
    gradstep.checkpoint.save(tmp_path / "run.npz", optimizer=ours)
    gradstep.checkpoint.restore(tmp_path / "run.npz", optimizer=twin)
    for each in (ours, twin):
        each.step([numbers(2)])
    assert_same_bits(arrays[0], more[0])


REAL_FOR_COMPLEX = r"is real, but the parameter is complex: both must be real, or both complex; .*view_as_real"
COMPLEX_FOR_REAL = r"is complex, but the parameter is real: both must be real, or both complex; .*view_as_real"


@pytest.mark.parametrize("gradient", [np.ones(SHAPE, np.float32), np.ones((*SHAPE, 2), np.float32)])
def test_a_real_gradient_is_refused(gradient):
    array = numbers(0)
    optimizer = gradstep.Adam([array])
    with pytest.raises(TypeError, match="^the gradient of parameter 0 " + REAL_FOR_COMPLEX):
        optimizer.step([gradient])
    assert_same_bits(array, numbers(0))
    assert not optimizer.state[0]


@pytest.mark.parametrize("shape", [SHAPE, (*SHAPE, 2)])
def test_a_complex_gradient_of_reals_is_refused(shape):
    array = np.ones((*SHAPE, 2), np.float32)
    optimizer = gradstep.Adam([array])
    with pytest.raises(TypeError, match="^the gradient of parameter 0 " + COMPLEX_FOR_REAL):
        optimizer.step([numbers(0, shape)])
    optimizer.step([reals(numbers(0))])
    with pytest.raises(TypeError, match="^the gradient of parameter 0 " + COMPLEX_FOR_REAL):
        optimizer.step([numbers(0)])
    assert (array < 1).sum() == (reals(numbers(0)) > 0).sum()  # by one step


def test_other_arrays_of_the_other_kind_are_refused():
    table = numbers(0, (4, 3))
    rows = gradstep.Rows(np.array([1]), np.ones((1, 3), np.float32))
    with pytest.raises(TypeError, match="^the gradient of parameter 0 " + REAL_FOR_COMPLEX):
        gradstep.SGD([table]).step([rows])
    with pytest.raises(TypeError, match="^the average of parameter 0 " + REAL_FOR_COMPLEX):
        functional.average_(np.ones((4, 3)), table, 0.5)
    with pytest.raises(TypeError, match="^the copy of parameter 0 " + COMPLEX_FOR_REAL):
        functional.cast_(table, np.ones((4, 3)))
    with pytest.raises(TypeError, match="^the state 'momentum_buffer' of parameter 0 " + REAL_FOR_COMPLEX):
        functional.sgd_(table, table.copy(), np.ones((4, 3)), step=1, momentum=0.9)
    assert_same_bits(table, numbers(0, (4, 3)))


def test_a_shape_is_told_as_its_owner_sees_it():
    with pytest.raises(ValueError, match=r"has shape \(7, 5\), but the parameter has shape \(5, 7\)"):
        gradstep.SGD([numbers(0)]).step([numbers(1).T])


def test_what_has_no_complex_form_is_refused_by_the_constructor():
    real, given = np.ones(3, np.float32), numbers(0)
    for params in ([real, given], [{"params": [real]}, {"params": [real.copy(), given]}]):
        with pytest.raises(
            ValueError, match=r"cast_to='f16' keeps .*, and parameter 1 of the group has dtype complex64"
        ):
            gradstep.SGD(params, cast_to="f16")
        with pytest.raises(ValueError, match=r"SparseAdam does not support complex parameters.*, and parameter 1 of"):
            gradstep.SparseAdam(params)
    with pytest.raises(ValueError, match="SparseAdam does not support complex parameters"):
        gradstep.functional.sparseadam_(given, given.copy(), given * 0, given * 0, step=1)
    with pytest.raises(ValueError, match="cast_to='f16' keeps copies of real numbers"):
        gradstep.functional.sgd_(given, given.copy(), step=1, cast_to="f16", copy=np.zeros(given.shape, np.float16))
    optimizer = gradstep.SparseAdam([real])
    with pytest.raises(ValueError, match="does not support complex"):
        optimizer.add_param_group({"params": [given]})
    assert len(optimizer.param_groups) == 1
