"""Arrays for the tests: dtypes, awkward numbers, and comparisons bit for bit."""

import hashlib

import ml_dtypes
import numpy as np

DTYPES = {
    "f64": np.dtype(np.float64),
    "f32": np.dtype(np.float32),
    "f16": np.dtype(np.float16),
    "bf16": np.dtype(ml_dtypes.bfloat16),
}


def normal(seed, size, dtype="f32"):
    return np.random.default_rng(seed).standard_normal(size).astype(DTYPES[dtype])


def awkward(seed, size, dtype="f32"):
    """Normal numbers among subnormal, tiny, huge, infinite, signed zero and NaN ones."""
    kind = DTYPES[dtype]
    limits = ml_dtypes.finfo(kind)
    tiny, low, high = (float(x) for x in (limits.smallest_subnormal, limits.tiny, limits.max))
    odd = [0.0, -0.0, tiny, -3 * tiny, low, -low, high, -high / 3, np.inf, -np.inf, np.nan, 1.0, -1.0]
    rng = np.random.default_rng(seed)
    numbers = rng.standard_normal(size) * 10.0 ** rng.integers(-3, 3, size)
    with np.errstate(over="ignore"):
        return np.where(rng.random(size) < 0.5, rng.choice(odd, size), numbers).astype(kind)


def numbers_for(case, seed, size, dtype):
    """Awkward numbers, or normal ones for a rule in which one infinity spoils the whole tensor."""
    return (awkward if case.scope == "element" else normal)(seed, size, dtype)


def rounded(array, dtype):
    """The array in another dtype, rounded once, to nearest even."""
    if array.dtype == np.float64 and dtype == "bf16":  # by way of float32 in ml_dtypes, so twice
        pattern = array.view(np.uint64)
        half, dropped = np.uint64(2**44), np.uint64(2**45 - 1)  # of the 52 bits bf16 keeps 7
        odd = (pattern >> np.uint64(45)) & np.uint64(1)
        array = ((pattern + half - np.uint64(1) + odd) & ~dropped).view(np.float64)
    with np.errstate(over="ignore"):
        return array.astype(DTYPES[dtype])


def bits(array):
    """The bits of an array as integers, of both parts of a complex one, with one NaN for all, as NaN payloads
    are not specified."""
    whole = np.array(array, order="C")
    if whole.dtype.kind == "c":
        whole = whole.view(whole.real.dtype)
    if whole.dtype.kind != "i":
        whole[np.isnan(whole)] = np.nan
    return whole.view(f"u{whole.dtype.itemsize}")


def digest(arrays):
    digested = hashlib.sha256()
    for array in arrays:
        digested.update(bits(np.atleast_1d(array)).tobytes())
    return digested.hexdigest()[:16]


def assert_same_bits(found, expected):
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(bits(np.atleast_1d(found)), bits(np.atleast_1d(expected)))


def step_all(optimizer, gradients):
    """One step for each entry of ``gradients``, which holds a gradient for each parameter."""
    for each in gradients:
        optimizer.step(each)
    return optimizer


def to_torch(array):
    """A tensor over the array's memory."""
    import torch

    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def to_numpy(tensor):
    import torch

    tensor = tensor.detach()
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


def state_arrays(state):
    """The values of one parameter's state by name, as NumPy arrays."""
    return {k: v if isinstance(v, np.ndarray) else to_numpy(v) for k, v in state.items()}
