"""Sparse gradients: values for some rows of a parameter, from NumPy or as torch's COO tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gradstep.hyperparameters import is_masked

__all__ = ["Rows", "read_rows", "row_numbers"]

#: leading dimensions of the parameter that its rows are counted over, the rows' numbers, an array of their values
RowValues = tuple[int, npt.NDArray[np.int64], Any]


@dataclass(frozen=True, eq=False)
class Rows:
    r"""A gradient that is zero but for some rows, :math:`g_{i_k} = \sum_k v_k`: what an embedding's look-up gives.

    It is taken in the place of a gradient by ``SGD`` without momentum, ``Adagrad`` and ``SparseAdam``, where the rows
    that it leaves out rest, and by every optimizer with ``lazy_rows=True``, where it equals a dense one. Rows that come
    more than once are added up in the order given, in float32 (float64 for a float64 parameter).

    Args:
        indices: :math:`i`, of int64 and shape (n,): rows of the parameter from 0 on, in any order.
        values: :math:`v`, of a floating dtype and shape (n, ...): a row of the parameter for each.

    Raises:
        TypeError: ``indices`` is no array of int64.
        ValueError: the shapes do not fit each other.

    >>> import numpy as np, gradstep
    >>> table = np.zeros((4, 2))
    >>> opt = gradstep.SGD([table], lr=0.5)
    >>> opt.step([gradstep.Rows(np.array([3, 1, 3]), np.ones((3, 2)))])
    >>> table
    array([[ 0. ,  0. ],
           [-0.5, -0.5],
           [ 0. ,  0. ],
           [-1. , -1. ]])
    """

    indices: Any
    values: Any

    def __post_init__(self) -> None:
        _check_rows(self.indices, self.values)


def _check_rows(indices: Any, values: Any) -> None:
    _check_int64(indices, "indices")
    if is_masked(indices) or is_masked(values):
        raise TypeError("Invalid rows: a masked array, and masks are not read: pass the rows that are not masked")
    if not hasattr(values, "shape"):
        raise TypeError(f"Invalid values: a {type(values).__name__}: pass an array, numpy.asarray of it")
    indexed, valued = tuple(indices.shape), tuple(values.shape)
    if len(indexed) != 1 or indexed != valued[:1]:
        raise ValueError(
            f"Invalid rows: indices of shape {indexed} and values of shape {valued}: "
            "they must be (n,) and (n, ...), a row of values for each index"
        )


def read_rows(gradient: Any, shape: tuple[int, ...], role: str) -> RowValues | None:
    """The rows of a sparse gradient of a parameter of this shape; None for what is not one.

    Raises:
        ValueError: it does not fit the parameter.
    """
    if isinstance(gradient, Rows):
        _check_rows(gradient.indices, gradient.values)  # once more: they may have been changed in place
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
    """Rows of a parameter, checked, from an array of any shape."""
    _check_int64(rows, "rows")
    return _number_rows(_owned(rows, "catch_up").reshape(1, -1), tuple(parameter.shape[:1]), "catch_up")


def _owned(indices: Any, role: str) -> npt.NDArray[np.int64]:
    """A copy, which nobody moves or changes once it has been checked."""
    from gradstep.arrays import as_numpy  # which knows rows too

    return np.array(as_numpy(indices, f"the array of rows of {role}"))


def _check_int64(numbers: Any, name: str) -> None:
    if str(getattr(numbers, "dtype", "")).removeprefix("torch.") != "int64":
        given = getattr(numbers, "dtype", type(numbers).__name__)
        raise TypeError(f"Invalid {name}: of {given}: pass an array of int64, with the number of a row for each")


def _number_rows(indices: npt.NDArray[np.int64], counted: tuple[int, ...], role: str) -> npt.NDArray[np.int64]:
    for index, size in zip(indices, counted, strict=True):
        if index.size and not 0 <= index.min() <= index.max() < size:
            wrong = index[(index < 0) | (index >= size)][0]
            raise ValueError(f"{role} has row {wrong}, but the parameter has rows 0 to {size - 1}: pass one of these")
    if len(counted) == 1:
        return np.ascontiguousarray(indices[0])
    return np.ravel_multi_index(tuple(indices), counted).astype(np.int64) if indices.size else indices.reshape(-1)
