// NumPy's arrays, by their fields and as views. A source that includes pybind11's numpy.h takes four seconds
// to compile: only this one and the module of schedules do.
#pragma once

#include <pybind11/cast.h>

#include <cstdint>
#include <span>

#include "arrays/view.h"

namespace gradstep {

bool is_numpy(pybind11::handle object);  // subclasses too

// Of an array, as NumPy keeps them; it holds what the pointers lead to.
struct numpy_fields {
  void* data;
  PyObject* dtype;
  uint32_t flags;
  bool writable;
  int ndim;
  const int64_t *sizes, *strides;
};
numpy_fields fields_of(pybind11::handle array);
bool lies_as_read(const numpy_fields& array, const array_view& view);

// False for what is no array of NumPy itself, of a dtype that there is a format for: of its subclasses (a
// mask, a file) gradstep.interop.arrays.describe tells.
bool read_numpy(pybind11::handle object, array_view& view);

// Whole numbers in one aligned run, a copy of an array where it is another one.
struct whole_numbers {
  pybind11::object array;

  explicit whole_numbers(pybind11::handle of);
  std::span<const int64_t> span() const;
};

}  // namespace gradstep
