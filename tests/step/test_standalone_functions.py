"""Each standalone function against NumPy and torch, in every dtype and layout."""

import ml_dtypes
import numpy as np
import pytest

import gradstep
from gradstep.functional import average_, cast_, clip_norm_, clip_value_, norm, unscale_, zero_
from support.arrays import DTYPES, assert_same_bits, awkward, normal, rounded, to_torch
from support.sums import norm as norm_in_the_tree
from support.tolerances import SINGLE, TENS_OF_ULP

SIZES = [0, 1, 31, 32, 33, 4095, 4096, 4097, 70_001]
THREADS = [1, 2, 3]

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def arrays(dtype="f32", make=awkward):
    return [make(i, n, dtype) for i, n in enumerate(SIZES)]


def in_arithmetic(array):
    """float64 for float64, float32 for the others."""
    return array if array.dtype == np.float64 else array.astype(np.float32)


def holes(array):
    """The array in every second place of a larger one of ones, and that."""
    held = np.ones((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    held[..., ::2] = array
    return held[..., ::2], held[..., 1::2]


def multiplied(array, factor):
    wide = in_arithmetic(array)
    with np.errstate(all="ignore"):
        return (wide * wide.dtype.type(factor)).astype(array.dtype)


def clipped(array, limit):
    bound = in_arithmetic(array).dtype.type(limit)
    return np.clip(in_arithmetic(array), -bound, bound).astype(array.dtype)


IN_PLACE = {  # each operation on one array, and its reference
    "unscale": (lambda g: unscale_(g, 3.0), lambda g: multiplied(g, 1 / 3)),
    "clip by value": (lambda g: clip_value_(g, 0.3), lambda g: clipped(g, 0.3)),
    "zero": (zero_, np.zeros_like),
}
each_operation = pytest.mark.parametrize(("operation", "reference"), IN_PLACE.values(), ids=IN_PLACE)


@each_operation
@each_dtype
def test_sizes(operation, reference, dtype):
    for g in arrays(dtype):
        expected = reference(g)
        operation(g)
        assert_same_bits(g, expected)


@each_operation
@each_dtype
def test_layouts_and_what_lies_between(operation, reference, dtype):
    g, between = holes(awkward(0, (60, 50), dtype))
    for view in (g, g.T, g[::-1, 3:]):
        expected = reference(view)
        operation(view)
        assert_same_bits(view, expected)
    assert_same_bits(between, np.ones_like(between))


def test_one_array_a_sequence_and_gradients_that_are_missing():
    g = [normal(0, 5), None, normal(1, (2, 3))]
    expected = [multiplied(g[0], 0.5), multiplied(g[2], 0.5)]
    assert unscale_((each for each in g), 2.0) is False
    assert_same_bits(g[0], expected[0])
    assert_same_bits(g[2], expected[1])
    assert norm(g) == norm([g[0], g[2]]) == norm_in_the_tree([g[0], g[2]])
    clip_norm_(g[0], 0.125)
    assert norm(g[0]) == pytest.approx(0.125, rel=1e-5)  # the 1e-6 in the formula
    for nothing in ([], [None]):
        assert (unscale_(nothing, 2.0), norm(nothing), clip_norm_(nothing, 1.0)) == (False, 0.0, 0.0)


@each_dtype
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_found(value, dtype):
    g = arrays(dtype, normal)
    assert unscale_(g, 2.0) is False
    g[-1][12_345] = value
    assert unscale_(g, 2.0) is True


def test_what_becomes_infinite_is_found():
    assert unscale_(np.full(3, 1e38, np.float32), 0.5) is False
    assert unscale_(np.full(3, 3e38, np.float32), 0.5) is True
    assert unscale_(np.full(3, 6e4, np.float16), 0.5) is True  # by its rounding to 16 bits alone


@each_dtype
def test_the_norm(dtype):
    g = arrays(dtype, normal)
    expected = norm_in_the_tree(map(in_arithmetic, g))
    # float64's squares are rounded before they are added there, and not here.
    assert norm(g) == (pytest.approx(expected, rel=TENS_OF_ULP) if dtype == "f64" else expected)


def test_the_norm_only_reads():
    g = normal(0, 100)
    g.flags.writeable = False
    assert norm([g, g, np.broadcast_to(g, (3, 100))]) == pytest.approx(np.sqrt(5) * norm(g), rel=TENS_OF_ULP)


@pytest.mark.parametrize("limit", [0.7, 1e6])
@each_dtype
def test_clipping_by_norm(dtype, limit):
    g = arrays(dtype, normal)
    before = norm(g)
    expected = [multiplied(each, min(1, limit / (before + 1e-6))) for each in g]
    assert clip_norm_(g, limit) == before
    for found, wanted in zip(g, expected, strict=True):
        assert_same_bits(found, wanted)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_clipping_by_a_norm_that_is_not_finite_is_torchs(value):
    torch = pytest.importorskip("torch")
    g = normal(0, 50)
    g[3] = value
    p = torch.nn.Parameter(torch.zeros(50))
    p.grad = to_torch(g.copy())
    torch.nn.utils.clip_grad_norm_(p, 1.0)
    np.testing.assert_equal(clip_norm_(g, 1.0), value)
    np.testing.assert_array_equal(g, p.grad.numpy())


def test_clipping_is_torchs():
    torch = pytest.importorskip("torch")
    tensors = [torch.nn.Parameter(torch.zeros(n)) for n in SIZES]
    for limit, ours, theirs in (
        (0.7, clip_norm_, torch.nn.utils.clip_grad_norm_),
        (0.3, clip_value_, torch.nn.utils.clip_grad_value_),
    ):
        g = [to_torch(each) for each in arrays(make=normal)]
        for p, each in zip(tensors, g, strict=True):
            p.grad = each.clone()
        theirs(tensors, limit)
        ours(g, limit)
        for p, each in zip(tensors, g, strict=True):
            torch.testing.assert_close(each, p.grad, rtol=SINGLE, atol=0)  # torch sums the squares in float32


@pytest.mark.parametrize("decay", [0.75, 0.25, 0.0, 1.0])
@each_dtype
def test_averages(dtype, decay):
    p = arrays(dtype, normal)
    averages = [in_arithmetic(each) for each in arrays(dtype, lambda i, n, d: normal(i + 50, n, d))]
    expected = []
    for a, q in zip(averages, map(in_arithmetic, p), strict=True):
        d = q - a  # times a power of two, so that what is added is rounded once, as in fma
        expected.append(a + d.dtype.type(1 - decay) * d if decay > 0.5 else q - d.dtype.type(decay) * d)
    average_(averages, p, decay)
    for found, wanted in zip(averages, expected, strict=True):
        assert_same_bits(found, wanted)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_corrected_averages_are_those_from_zero(kind):
    decays = [0.5, 0.8, 0.0, 0.9, 1.0]
    average, from_zero, product = normal(0, 40, "f64"), np.zeros(40), np.ones(1, kind)
    expected = 1.0
    for t, decay in enumerate(decays):
        p = normal(t + 1, 40, "f64")
        average_(average, p, decay, product)
        from_zero = decay * from_zero + (1 - decay) * p
        expected *= decay
        # a few roundings of numbers of size one, in another order, and a float32 product
        tolerance = 1e-14 if kind is np.float64 else 1e-6
        np.testing.assert_allclose(average, from_zero / (1 - expected), rtol=0, atol=tolerance)
        assert product[0] == pytest.approx(expected, rel=1e-7)


def test_averages_of_other_layouts():
    p, average = normal(0, (40, 60)), np.asfortranarray(normal(1, (40, 60)))
    expected = average + np.float32(0.25) * (p - average)
    average_(average, p, 0.75)
    assert_same_bits(average, expected)


@pytest.mark.parametrize("to", DTYPES)
@each_dtype
def test_casting(dtype, to):
    p = arrays(dtype)
    copies = [np.zeros(n, DTYPES[to]) for n in SIZES]
    cast_(copies, p)
    for found, each in zip(copies, p, strict=True):
        assert_same_bits(found, rounded(each, to))


def test_casting_into_another_layout():
    p = normal(0, (40, 60))
    copy, between = holes(np.zeros((60, 40), ml_dtypes.bfloat16))
    cast_(copy.T, p)
    assert_same_bits(copy.T, p.astype(ml_dtypes.bfloat16))
    assert_same_bits(between, np.ones_like(between))


@pytest.mark.parametrize("dtype", ["f32", "bf16"])
def test_threads_change_nothing(dtype):
    found = []
    for threads in THREADS:
        gradstep.set_num_threads(threads)
        g, average = [normal(0, 400_003, dtype), awkward(1, 5, dtype)], normal(2, 400_003)
        g[1][np.isnan(g[1].astype(float)) | np.isinf(g[1].astype(float))] = 1
        unscale_(g, 3.0)
        total = clip_norm_(g, 0.1)
        clip_value_(g, 1e-4)
        average_(average, g[0], 0.9)
        found.append((total, *g, average))
    for total, *made in found[1:]:
        assert total == found[0][0]
        for a, b in zip(made, found[0][1:], strict=True):
            assert_same_bits(a, b)


def test_autograd_notices():
    torch = pytest.importorskip("torch")
    g, p, copy = torch.ones(4), torch.ones(4), torch.ones(4, dtype=torch.bfloat16)
    product = torch.ones(())
    for written, call in (
        ([g], lambda: unscale_(g, 2.0)),
        ([g], lambda: clip_norm_([g], 0.1)),
        ([g], lambda: clip_value_(g, 0.1)),
        ([g], lambda: zero_(g)),
        ([g, product], lambda: average_(g, p, 0.5, product)),
        ([copy], lambda: cast_(copy, p)),
    ):
        before = [each._version for each in (*written, p)]
        call()
        after = [each._version for each in (*written, p)]
        assert all(now > then for now, then in zip(after[:-1], before[:-1], strict=True))
        assert after[-1] == before[-1]
