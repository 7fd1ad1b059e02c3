"""A sparse gradient: values for some rows of a parameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gradstep.interop.scalars import is_masked

__all__ = ["Rows", "check_int64", "check_rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    r"""A gradient that is zero except in some rows, :math:`g_{i_k} = \sum_k v_k`, as an embedding's look-up gives.

    ``SGD`` without momentum, ``Adagrad`` and ``SparseAdam`` accept it as a gradient and leave the other rows unchanged.
    With ``lazy_rows=True`` every optimizer accepts it, and it equals a dense gradient. Repeated rows are summed in the
    given order, in float32 (float64 for a float64 parameter).

    Args:
        indices: :math:`i`, an int64 array of shape (n,): the rows of the parameter, from 0, in any order.
        values: :math:`v`, an array of a floating or complex dtype and shape (n, ...): a row for each index.

    Raises:
        TypeError: ``indices`` is not an array of int64.
        ValueError: the shapes do not match.

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

    def __repr__(self) -> str:
        return f"Rows({len(self.indices)} rows, values of shape {tuple(self.values.shape)} and {self.values.dtype})"

    def __post_init__(self) -> None:
        check_rows(self.indices, self.values)


def check_rows(indices: Any, values: Any) -> None:
    """Raise TypeError or ValueError unless there is one int64 index for each row of values."""
    check_int64(indices, "indices")
    if is_masked(indices) or is_masked(values):
        raise TypeError("Invalid rows: a masked array, and masks are not supported: pass the rows that are not masked")
    if not hasattr(values, "shape"):
        raise TypeError(f"Invalid values: a {type(values).__name__}: pass an array, numpy.asarray of it")
    indexed, valued = tuple(indices.shape), tuple(values.shape)
    if len(indexed) != 1 or indexed != valued[:1]:
        raise ValueError(
            f"Invalid rows: indices of shape {indexed} and values of shape {valued}: "
            "they must be (n,) and (n, ...), a row of values for each index"
        )


def check_int64(numbers: Any, name: str) -> None:
    """Raise TypeError for anything but an array of int64."""
    if str(getattr(numbers, "dtype", "")).removeprefix("torch.") != "int64":
        given = getattr(numbers, "dtype", type(numbers).__name__)
        raise TypeError(f"Invalid {name}: of {given}: pass an array of int64, with the number of a row for each")
