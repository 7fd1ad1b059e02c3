"""Arrays of libraries with the CUDA array interface: their streams, and their states."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from gradstep.interop import devices
from gradstep.interop.arrays import describe
from gradstep.interop.libraries import library_of


class OfCupy(np.ndarray):
    """The interface of CuPy's arrays, over host memory."""

    device = SimpleNamespace(id=3)

    @property
    def __cuda_array_interface__(self):
        return {"data": (self.ctypes.data, False), "shape": self.shape, "version": 3}


OfCupy.__module__ = "cupy"


def full_like(array, value, dtype, order):
    return np.full_like(array, value, dtype=dtype, order=order)


@pytest.fixture
def cupy(monkeypatch):
    streams = SimpleNamespace(get_current_stream=lambda number: SimpleNamespace(ptr=4096 + number))
    module = SimpleNamespace(cuda=streams, full_like=full_like, array=np.array, asarray=np.asarray)
    monkeypatch.setitem(sys.modules, "cupy", module)


@pytest.fixture
def parameter():
    return np.arange(6, dtype=np.float16).reshape(2, 3).T.view(OfCupy)


def test_the_stream_is_the_librarys(cupy, parameter):
    assert devices.current_stream(parameter, 3) == 4099


def test_where_it_lies(parameter):
    found = describe(parameter, "parameter 0")
    assert found == (parameter.ctypes.data, "f16", False, (3, 2), (2, 6), True, (2, 3), parameter)


@pytest.mark.parametrize(
    ("like_parameter", "dtype"), [(False, np.float32), (True, np.float16)], ids=["wide", "like the parameter"]
)
def test_arrays_of_state(cupy, parameter, like_parameter, dtype):
    made = library_of(parameter).new_array(parameter, 0.5, like_parameter)
    assert isinstance(made, OfCupy)
    assert (made.dtype, made.strides) == (dtype, tuple(np.array([1, 3]) * made.itemsize))
    np.testing.assert_array_equal(made, 0.5)


@pytest.mark.parametrize(("asked", "dtype"), [(None, np.float32), ("param", np.float16), ("f16", np.float16)])
def test_copies(cupy, parameter, asked, dtype):
    made = library_of(parameter).new_copy(parameter, asked)
    assert isinstance(made, OfCupy)
    assert made.dtype == dtype
    assert not np.shares_memory(made, parameter)
    np.testing.assert_array_equal(made, parameter)


def test_numbers_and_values(cupy, parameter):
    library = library_of(parameter)
    numbers = [library.new_number(parameter, 0.1, exact) for exact in (True, False)]
    assert [(number.shape, number.dtype) for number in numbers] == [((), np.float64), ((), np.float32)]
    library.assign(parameter, np.full((3, 2), 2.0))
    np.testing.assert_array_equal(parameter, 2)
    saved = library.copy_of(parameter, [1.0, 2.0])
    np.testing.assert_array_equal(saved, [1, 2])
    assert library.shape_of(parameter) == (3, 2)
    assert not library.is_double(parameter)
