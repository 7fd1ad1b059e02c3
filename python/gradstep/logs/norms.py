"""Norms of gradients and of updates."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from gradstep.interop.arrays import as_numpy, is_complex

__all__ = ["copies", "norm", "norm_of_change"]


def norm(arrays: Iterable[Any]) -> float:
    """The Euclidean norm of all elements of all arrays, summed in float64; None stands for zeros.

    A complex number counts by its magnitude.

    Args:
        arrays: NumPy arrays, torch tensors (dense or sparse) or other arrays in host memory.

    >>> norm([np.array([3.0, 0.0], np.float32), None, np.array([[4.0]])])
    5.0
    """
    return math.hypot(*(_norm(_readable(array)) for array in arrays if array is not None))


def norm_of_change(before: Iterable[Any], arrays: Iterable[Any]) -> float:
    """The Euclidean norm of the change since ``before = copies(arrays)``, in float64.

    Args:
        before: the copies.
        arrays: the arrays, as for :func:`norm`.

    >>> weights = [np.array([1.0, 2.0], np.float32)]
    >>> before = copies(weights)
    >>> weights[0] += 3
    >>> round(norm_of_change(before, weights), 12)
    4.242640687119
    """
    pairs = zip(map(_readable, arrays), before, strict=True)
    return math.hypot(*(_norm(_in_float64(array) - _in_float64(old)) for array, old in pairs))


def copies(arrays: Iterable[Any]) -> list[Any]:
    """Copies of the arrays' present values."""
    plain = map(_readable, arrays)
    return [array.copy() if isinstance(array, np.ndarray) else array.clone() for array in plain]


def _readable(array: Any) -> Any:
    """A NumPy array, or a tensor without its graph."""
    torch = sys.modules.get("torch")
    if torch and isinstance(array, torch.Tensor):
        return array.detach().coalesce().values() if array.is_sparse else array.detach()
    return as_numpy(array, "an array")


def _in_float64(array: Any) -> Any:
    """The numbers in float64, or in complex128."""
    if isinstance(array, np.ndarray):
        return array.astype(np.promote_types(array.dtype, np.float64), copy=False)
    torch = sys.modules["torch"]
    return array.to(torch.promote_types(array.dtype, torch.float64))


def _norm(array: Any) -> float:
    flat = _in_float64(array).reshape(-1)
    with np.errstate(over="ignore"):
        squares = flat.real @ flat.real
        if is_complex(flat):
            squares = squares + flat.imag @ flat.imag
    norm = math.sqrt(float(squares))
    if math.isinf(norm) and math.isfinite(largest := float(abs(flat).max())):  # only the squares overflow
        return largest * _norm(flat / largest)
    return norm
