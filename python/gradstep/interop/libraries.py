"""Making of state arrays by the library of their parameter, on its device.

States of arrays in host memory are NumPy arrays, whatever the library of the parameters.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol

import numpy as np

from gradstep.interop.arrays import HALVES, as_numpy

__all__ = ["Library", "library_of"]


class Library(Protocol):
    """Makes a state's arrays for a parameter."""

    def new_array(
        self, parameter: Any, value: float, like_parameter: bool, shape: tuple[int, ...] | None = None
    ) -> Any:
        """A filled array of the parameter's dtype or of float32 (float64 for float64, complex for complex).

        Both parts of a complex number are filled with the value. With None for the shape it has the parameter's.
        """

    def new_copy(self, parameter: Any, dtype: str | None) -> Any:
        """A copy of the parameter as "bf16" or "f16", "param" in its dtype, None in the dtype of other states."""

    def new_number(self, parameter: Any, value: float, exact: bool) -> Any:
        """A 0-d array of float64 if exact, otherwise of float32."""

    def is_double(self, parameter: Any) -> bool:
        """Whether its dtype is float64 or complex128."""

    def shape_of(self, parameter: Any) -> tuple[int, ...]:
        """Its shape."""

    def assign(self, parameter: Any, values: Any) -> None:
        """Replace the parameter's values."""

    def copy_of(self, parameter: Any, value: Any) -> Any:
        """A copy of a saved array or number on the parameter's device."""


class NumpyLike:
    """NumPy, or a library with the same functions."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions

    def _read(self, array: Any) -> Any:
        return np.asarray(as_numpy(array, "a parameter")) if self._functions is np else array

    def new_array(
        self, parameter: Any, value: float, like_parameter: bool, shape: tuple[int, ...] | None = None
    ) -> Any:
        array = self._read(parameter)
        dtype = array.dtype if like_parameter else np.promote_types(array.dtype, np.float32)
        fill = complex(value, value) if dtype.kind == "c" else value
        other = {} if shape is None else {"shape": shape}
        return self._functions.full_like(array, fill, dtype=dtype, order="K", **other)

    def new_copy(self, parameter: Any, dtype: str | None) -> Any:
        if dtype is None:
            copy = self.new_array(parameter, 0.0, False)
            copy[...] = self._read(parameter)
            return copy
        array = self._read(parameter)
        return array.astype(array.dtype if dtype == "param" else _sixteen_bit(dtype), order="K")

    def new_number(self, parameter: Any, value: float, exact: bool) -> Any:
        return self._functions.array(value, dtype=np.float64 if exact else np.float32)

    def is_double(self, parameter: Any) -> bool:
        return self._read(parameter).dtype in (np.float64, np.complex128)

    def shape_of(self, parameter: Any) -> tuple[int, ...]:
        return tuple(self._read(parameter).shape)

    def assign(self, parameter: Any, values: Any) -> None:
        self._read(parameter)[...] = self._read(values)

    def copy_of(self, parameter: Any, value: Any) -> Any:
        return self._functions.array(self._functions.asarray(value), order="K")


_NUMPY = NumpyLike(np)


def library_of(parameter: Any) -> Library:
    """The library that makes the states of a parameter over arrays."""
    if type(parameter).__module__.partition(".")[0] == "torch" and parameter.device.type != "cpu":
        from gradstep.interop.torch_tensors import TORCH

        return TORCH
    if hasattr(parameter, "__cuda_array_interface__"):
        return NumpyLike(importlib.import_module(type(parameter).__module__.partition(".")[0]))
    return _NUMPY


def _sixteen_bit(name: str) -> Any:
    dtype = HALVES[name]
    if hasattr(np, dtype):
        return np.dtype(dtype)
    try:
        import ml_dtypes
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            f"cast_to='{name}' over NumPy arrays needs ml_dtypes: pip install ml_dtypes, or pass 'f16'",
            name="ml_dtypes",
        ) from missing
    return getattr(ml_dtypes, dtype)
