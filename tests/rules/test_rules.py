"""Is it the rule? Every rule, dtype and size for ten steps against the reference."""

from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest

import gradstep
from gradstep import rules
from support import reference
from support.arrays import DTYPES, assert_same_bits, normal, step_all
from support.cases import ALL_CASES, CASES, CORE_RULES, LARGE, ONE_EACH, OPTIONS, SIZES

STEPS = 10
#: the dtype of the reference for each dtype of arithmetic
EXACT = {"f32": np.float64, "f64": np.longdouble}
# Ten steps round the parameter, its decay and the factor of the decay (half an ulp each, at most 15 in all,
# never all in one direction), and take directions with an error of a few ulp each. RAdam at its defaults adds
# the cancellation in its length of 5.99 out of 1999, in double as in torch. The largest seen is 12.
ULPS = 16
# A state is a recursion of ten steps with two or three roundings each, and gradients carry an error where
# decay is coupled; the largest seen is 5.
STATE_ULPS = 8
#: rules whose states hold what has been normalised
CORRECTED_STATES = {"LaProp", "ScheduleFreeAdamW"}

#: numbers of state that are sums of terms of either sign, whose errors scale with those (measured/test_prodigy.py)
SIGNED_SUMS = {"d_numerator"}

each_case = pytest.mark.parametrize("case", ALL_CASES, ids=str)
each_rule = pytest.mark.parametrize("case", CASES, ids=str)
each_dtype = pytest.mark.parametrize("dtype", EXACT)


def test_every_rule_is_tested():
    assert {case.name for case in CASES} == set(rules.ALL)
    assert sorted(case.kernel for case in ONE_EACH) == CORE_RULES


def flipped(case, options):
    """Options against the class's own defaults, so that each is tested on and off."""
    own = case.group()
    return {key: own[key] != value for key, value in options.items()}


def correction_error(case):
    """The relative error of 1 / (1 - beta^t), at most of each beta: as in torch, their powers are rounded."""
    if "betas" not in case.group() or case.name in ("Lion", "ADOPT"):
        return 0
    betas = case.group()["betas"][: 2 if case.name == "AdEMAMix" else None]
    return sum(1 / (1 - beta) for beta in betas) * 2.0**-53


def references(case, starts, gradients, group):
    """The expected run of each array."""
    if case.scope != "all":
        return [reference.run(case.name, p, [g[i] for g in gradients], group) for i, p in enumerate(starts)]
    joined = reference.run(case.name, np.concatenate(starts), [np.concatenate(g) for g in gradients], group)
    return split(joined, np.cumsum([len(p) for p in starts])[:-1])


def split(joined, places):
    """The runs of the parts of an array; numbers belong to each."""
    parts = [SimpleNamespace(**vars(joined)) for _ in range(len(places) + 1)]
    for name in ("p", "scale", "path"):
        for part, values in zip(parts, np.split(getattr(joined, name), places), strict=True):
            setattr(part, name, values)
    for i, part in enumerate(parts):
        part.states = {k: np.split(v, places)[i] if np.ndim(v) else v for k, v in joined.states.items()}
    return parts


def check(case, dtype, sizes, steps, **options):
    limits = np.finfo(DTYPES[dtype])
    arrays = [normal(size, size, dtype) for size in sizes]
    gradients = [[normal(size + 7919 * t, size, dtype) for size in sizes] for t in range(1, steps + 1)]
    starts = [p.astype(EXACT[dtype]) for p in arrays]
    optimizer = step_all(case.over(arrays, **options), gradients)
    expectations = references(case, starts, gradients, case.group(**options))
    for i, (p, expected) in enumerate(zip(arrays, expectations, strict=True)):
        bound = ULPS * limits.eps * expected.scale + correction_error(case) * expected.path
        wrong = np.abs(p - expected.p) > bound
        # Where the sign of a sum of rounded numbers decides, one within rounding of 0 may fall on the other
        # side; none does in the small sizes.
        assert wrong.sum() <= len(p) // 100_000
        found = optimizer.state[i]
        assert set(expected.states) | {"step"} == set(found) | {"step"}
        for name, values in expected.states.items():
            if name in SIGNED_SUMS:
                continue
            relative = STATE_ULPS * limits.eps + (correction_error(case) if case.name in CORRECTED_STATES else 0)
            bound = relative * expected.state_scales[name]
            assert np.all(np.abs(found[name] - values) <= bound), name
        assert found.get("step", steps) == steps  # SGD, as torch's, stores none


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(k for k in o if o[k]) or "as-is")
@each_dtype
@each_rule
def test_reference(case, dtype, options):
    check(case, dtype, SIZES, STEPS, **flipped(case, options))


@each_dtype
@pytest.mark.parametrize("case", [case for case in ALL_CASES if not case.hyper], ids=str)
def test_defaults(case, dtype):
    check(case, dtype, SIZES, STEPS)


@pytest.mark.parametrize("case", ONE_EACH, ids=lambda case: case.kernel)
def test_a_million_and_three(case):
    check(case, "f32", [LARGE], steps=2)


@each_rule
def test_the_bare_kernel_makes_the_same_steps(case):
    p, q = normal(0, 70, "f64"), normal(0, 70, "f64")
    optimizer, group = case.over([p]), case.group()
    update, rule = getattr(gradstep.functional, case.name.lower() + "_"), getattr(rules, case.name)
    arrays = [np.full_like(q, rule.initial(name, group)) for name in rule.kernel(group).arrays]
    numbers = [np.array(rule.initial(name, group)) for name in rule.numbers[1:]]
    for t in range(1, 4):
        g = normal(t, 70, "f64")
        optimizer.step([g])
        update(q, g, *arrays, *numbers, step=t, **case.hyper)
        assert_same_bits(q, p)


def as_float(array):
    return array.astype(np.float32)


@pytest.mark.grid
@pytest.mark.parametrize("state_dtype", [None, "param"])
@pytest.mark.parametrize("gradient_dtype", DTYPES)
@pytest.mark.parametrize("dtype", ["f16", "bf16"])
@each_rule
def test_16_bit_is_float_rounded_once(case, dtype, gradient_dtype, state_dtype):
    # Trap: torch's for-loop rounds every intermediate to 16 bits. Here a step is the float step, stored once.
    size, kind = 4096 + 37, DTYPES[dtype]
    p = normal(0, size, dtype)
    optimizer = case.over([p], state_dtype=state_dtype)
    wide = as_float(p)
    twin = case.over([wide])
    for t in range(1, 5):
        g = normal(t, size, gradient_dtype)
        optimizer.step([g])
        twin.step([as_float(g)])
        assert_same_bits(p, wide.astype(kind))
        wide[...] = p
        for name, values in twin.state[0].items():
            found = optimizer.state[0][name]
            if values.ndim and state_dtype == "param":
                assert_same_bits(found, values.astype(kind))
                values[...] = found
            else:
                assert_same_bits(found, values)


@pytest.mark.grid
@pytest.mark.parametrize("gradient_dtype", DTYPES)
@pytest.mark.parametrize("dtype", ["f32", "f64"])
@each_rule
def test_gradients_of_another_dtype(case, dtype, gradient_dtype):
    # A gradient is read as the arithmetic's dtype: exactly if narrower, rounded once if wider.
    size, kind = 1024 + 13, DTYPES[dtype]
    arrays = [normal(0, size, dtype), normal(0, size, dtype)]
    gradients = [normal(t, size, gradient_dtype) for t in range(1, 4)]
    step_all(case.over(arrays[:1]), [[g] for g in gradients])
    step_all(case.over(arrays[1:]), [[g.astype(kind)] for g in gradients])
    assert_same_bits(arrays[0], arrays[1])


@pytest.mark.parametrize("case", [case for case in CASES if case.scope != "all"], ids=str)
def test_dtypes_may_be_mixed(case):
    sizes = {"f16": 5, "f64": 4099, "bf16": 33, "f32": 70}
    alone = [normal(1, n, dtype) for dtype, n in sizes.items()]
    mixed = [p.copy() for p in alone]
    gradients = [[normal(t, n, "f32") for n in sizes.values()] for t in range(2, 5)]
    step_all(case.over(mixed), gradients)
    for i, p in enumerate(alone):
        step_all(case.over([p]), [[g[i]] for g in gradients])
        assert_same_bits(mixed[i], p)


@pytest.mark.parametrize("dtype", DTYPES)
@each_rule
def test_states_have_the_promised_dtypes(case, dtype):
    for state_dtype in (None, "param"):
        optimizer = case.over([normal(0, 3, dtype)], state_dtype=state_dtype)
        optimizer.step([normal(1, 3, dtype)])
        expected = DTYPES[dtype] if state_dtype or dtype == "f64" else np.float32
        assert {v.dtype for v in optimizer.state[0].values() if v.ndim} <= {np.dtype(expected)}


@pytest.mark.parametrize("narrow", ["f16", "bf16"])
@pytest.mark.parametrize("wide", ["f32", "f64"])
def test_every_16_bit_number_is_read_and_stored(narrow, wide):
    # SGD with lr=1 computes p - g: with p = 0 it stores -g, with g = 0 it stores p.
    kind = DTYPES[narrow]
    every = np.arange(2**16, dtype=np.uint16).view(kind)
    p, stored = np.zeros(2**16, DTYPES[wide]), np.zeros(2**16, kind)
    optimizer = subtracting([p])
    optimizer.step([every])
    np.testing.assert_array_equal(p, -every.astype(np.float32))
    subtracting([stored]).step([p])
    finite = ~np.isnan(every.astype(np.float32))
    np.testing.assert_array_equal(stored[finite], every[finite])
    assert np.isnan(stored[~finite].astype(np.float32)).all()


def subtracting(arrays):
    return gradstep.SGD(arrays, lr=1.0)


@pytest.mark.parametrize("narrow", ["f16", "bf16"])
def test_rounding_is_to_nearest_even(narrow):
    # Between two neighbours: just below, on and just above the middle, which alone goes to the even one.
    kind = DTYPES[narrow]
    low = np.arange(0, int(np.array(ml_dtypes.finfo(kind).max, kind).view(np.uint16)), dtype=np.uint16)
    lower, upper = low.view(kind).astype(np.float32), (low + 1).view(kind).astype(np.float32)
    middle = lower + (upper - lower) / 2
    for wanted in (np.nextafter(middle, lower), middle, np.nextafter(middle, upper)):
        for sign in (np.float32(1), np.float32(-1)):
            stored = np.zeros(len(low), kind)
            subtracting([stored]).step([-sign * wanted])
            np.testing.assert_array_equal(stored, (sign * wanted).astype(kind))
