// Arrays of NumPy that may be read through a typed pointer: one that is not aligned is copied.
#pragma once

#include <pybind11/numpy.h>

namespace gradstep {

constexpr int aligned_flag = pybind11::detail::npy_api::NPY_ARRAY_ALIGNED_;

template <class T>
using aligned_array = pybind11::array_t<T, pybind11::array::c_style | aligned_flag>;

}  // namespace gradstep
