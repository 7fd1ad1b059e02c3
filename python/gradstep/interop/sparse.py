"""Reading of sparse gradients for the core: :class:`gradstep.Rows` and torch's COO tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gradstep.interop.arrays import as_numpy
from gradstep.interop.rows import Rows, check_int64, check_rows

__all__ = ["read_rows", "row_numbers"]

#: the number of leading dimensions that number the rows, the rows' numbers, an array of their values
RowValues = tuple[int, npt.NDArray[np.int64], Any]


def read_rows(gradient: Any, shape: tuple[int, ...], role: str) -> RowValues | None:
    """The rows of a sparse gradient for a parameter of this shape; None for other gradients.

    Raises:
        ValueError: it does not match the parameter.
    """
    if isinstance(gradient, Rows):
        check_rows(gradient.indices, gradient.values)  # again: they may have been changed in place
        indices, values = _owned(gradient.indices, role)[np.newaxis], gradient.values
        given = (*shape[:1], *values.shape[1:])
    elif str(getattr(gradient, "layout", "")) == "torch.sparse_coo":
        if gradient.device.type != "cpu":
            raise TypeError(f"{role} is on {gradient.device}: rows are updated on the CPU alone; move it with .cpu()")
        indices, values = _owned(gradient._indices(), role), gradient._values().detach()
        given = tuple(gradient.shape)
    else:
        return None
    if given != shape or not shape:
        raise ValueError(
            f"{role} has shape {given}, but the parameter has shape {shape}: they must be equal, and have rows"
        )
    counted = shape[: len(indices)]
    return len(counted), _number_rows(indices, counted, role), values


def row_numbers(rows: Any, parameter: Any) -> npt.NDArray[np.int64]:
    """Check an array of a parameter's rows, of any shape."""
    check_int64(rows, "rows")
    return _number_rows(_owned(rows, "catch_up").reshape(1, -1), tuple(parameter.shape[:1]), "catch_up")


def _owned(indices: Any, role: str) -> npt.NDArray[np.int64]:
    """A copy that no other code can change after the checks."""
    return np.array(as_numpy(indices, f"the array of rows of {role}"))


def _number_rows(indices: npt.NDArray[np.int64], counted: tuple[int, ...], role: str) -> npt.NDArray[np.int64]:
    for index, size in zip(indices, counted, strict=True):
        if index.size and not 0 <= index.min() <= index.max() < size:
            wrong = index[(index < 0) | (index >= size)][0]
            raise ValueError(f"{role} has row {wrong}, but the parameter has rows 0 to {size - 1}: pass one of these")
    if len(counted) == 1:
        return np.ascontiguousarray(indices[0])
    return np.ravel_multi_index(tuple(indices), counted).astype(np.int64) if indices.size else indices.reshape(-1)
