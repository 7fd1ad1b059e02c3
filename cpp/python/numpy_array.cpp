#include "python/numpy_array.h"

#include <string_view>

#include "python/aligned_array.h"

namespace py = pybind11;

namespace gradstep {

namespace {

static_assert(sizeof(Py_intptr_t) == sizeof(int64_t));

// An array of NumPy itself; of its subclasses (a mask, a file) gradstep.interop.arrays.describe tells.
bool is_plain(py::handle object) {
  return py::isinstance<py::array>(object) &&
         Py_TYPE(object.ptr()) == py::detail::npy_api::get().PyArray_Type_;
}

// NumPy's own floats and complex numbers, and types that it has no kind for, known by their names as for
// gradstep.interop.arrays.describe.
bool read_type(const py::dtype& type, array_view& view) {
  view.complex = type.kind() == 'c';
  const int64_t bytes = type.itemsize() / (view.complex ? 2 : 1);
  if (view.complex || type.kind() == 'f')
    return view.take_format(
        [&](const format& each) { return each.dlpack_code == dlpack_float && each.bytes == bytes; });
  if (type.kind() != 'V') return false;
  const py::handle scalar = py::detail::array_descriptor_proxy(type.ptr())->typeobj;
  const std::string_view name = reinterpret_cast<PyTypeObject*>(scalar.ptr())->tp_name;
  return view.take_format([&](const format& each) {
    return each.bytes == bytes && name.substr(name.rfind('.') + 1) == each.library_name;
  });
}

}  // namespace

bool is_numpy(py::handle object) { return py::isinstance<py::array>(object); }

numpy_fields fields_of(py::handle array) {
  const auto* const fields = py::detail::array_proxy(array.ptr());
  return {fields->data,
          fields->descr,
          uint32_t(fields->flags),
          (fields->flags & py::detail::npy_api::NPY_ARRAY_WRITEABLE_) != 0,
          fields->nd,
          reinterpret_cast<const int64_t*>(fields->dimensions),
          reinterpret_cast<const int64_t*>(fields->strides)};
}

bool lies_as_read(const numpy_fields& array, const array_view& view) {
  bool same =
      array.data == view.data && array.ndim == view.ndim - view.complex && array.writable == view.writable;
  for (int d = 0; same && d < array.ndim; ++d)
    same = view.dimensions[d] == dimension{array.sizes[d], array.strides[d]};
  return same;
}

bool read_numpy(py::handle object, array_view& view) {
  if (!is_plain(object)) return false;
  const auto array = py::reinterpret_borrow<py::array>(object);
  const py::dtype type = array.dtype();
  if (!read_type(type, view)) return false;
  const char order = type.byteorder();
  if (order != '=' && order != '|') return false;
  view.data = static_cast<char*>(const_cast<void*>(array.data()));
  view.writable = array.writeable();
  view.where = host_memory;
  view.ndim = int(array.ndim());
  if (view.ndim > dimension_limit) return false;
  for (int d = 0; d < view.ndim; ++d) view.dimensions[d] = {array.shape(d), array.strides(d)};
  if (view.complex) view.see_as_pairs();
  return true;
}

whole_numbers::whole_numbers(py::handle of) : array(of.cast<aligned_array<int64_t>>()) {}

std::span<const int64_t> whole_numbers::span() const {
  const auto numbers = py::reinterpret_borrow<aligned_array<int64_t>>(array);
  return {numbers.data(), size_t(numbers.size())};
}

}  // namespace gradstep
