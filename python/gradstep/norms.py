"""The size of gradients and updates."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

from gradstep.arrays import as_numpy

__all__ = ["norm"]


def norm(arrays: Iterable[Any]) -> float:
    """The Euclidean norm of all elements of all arrays, summed in float64; None stands for zeros.

    Args:
        arrays: NumPy arrays, torch tensors (dense or sparse) or other arrays of the host's memory.

    >>> norm([np.array([3.0, 0.0], np.float32), None, np.array([[4.0]])])
    5.0
    """
    return math.hypot(*(_norm(array) for array in arrays if array is not None))


def _norm(array: Any) -> float:
    torch = sys.modules.get("torch")
    if torch and isinstance(array, torch.Tensor):
        values = array.detach().coalesce().values() if array.is_sparse else array.detach()
        return float(torch.linalg.vector_norm(values, dtype=torch.float64))
    return float(np.linalg.norm(as_numpy(array, "an array").astype(np.float64, copy=False)))
