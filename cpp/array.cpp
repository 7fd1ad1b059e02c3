#include "array.h"

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <complex>

#include "dlpack.h"

namespace py = pybind11;

namespace gradstep {

int64_t array_view::size() const {
  int64_t n = 1;
  for (int d = 0; d < ndim; ++d) n *= dimensions[d].size;
  return n;
}

py::tuple array_view::shape() const {
  const int owners = ndim - complex;
  py::tuple sizes(owners);
  for (int d = 0; d < owners; ++d) sizes[size_t(d)] = dimensions[d].size;
  return sizes;
}

bool array_view::same_place_as(const array_view& other) const {
  bool same = ndim == other.ndim && complex == other.complex;
  for (int d = 0; same && d < ndim; ++d) same = dimensions[d] == other.dimensions[d];
  return same;
}

void refuse_read_only(const std::string& what) {
  throw py::value_error(what + " is read-only: pass an array that can be written in place");
}

void require_same_kind(const array_view& given, const array_view& parameter, const std::string& what) {
  if (given.complex == parameter.complex) return;
  const char* const kinds[] = {"real", "complex"};
  throw py::type_error(
      what + " is " + kinds[given.complex] + ", but the parameter is " + kinds[parameter.complex] +
      ": both must be real, or both complex; convert one, or pass the complex one as a view of "
      "its reals (torch.view_as_real, array.view)");
}

void require_shape(const array_view& given, const array_view& parameter, const std::string& what) {
  require_same_kind(given, parameter, what);
  bool equal = given.ndim == parameter.ndim;
  for (int d = 0; equal && d < given.ndim; ++d)
    equal = given.dimensions[d].size == parameter.dimensions[d].size;
  if (equal) return;
  throw py::value_error(what + " has shape " + std::string(py::str(given.shape())) +
                        ", but the parameter has shape " + std::string(py::str(parameter.shape())) +
                        ": they must be equal");
}

std::string device::text() const {
  if (type == dlpack::cpu) return "the CPU";
  if (type == dlpack::cuda) return "cuda:" + std::to_string(id);
  return "DLPack device " + std::to_string(type) + ":" + std::to_string(id);
}

void array_role::refuse_elsewhere(const array_view& array) const {
  if (array.where == where) return;
  throw py::type_error(text() + " is on " + array.where.text() + ", but this optimizer steps arrays on " +
                       where.text() + ": move it there, or make an optimizer of what is on " +
                       array.where.text());
}

namespace {

// The exchange API of the tensor types seen last; types are few and live as long as their library.
dlpack::exchange_api* exchange_of(PyTypeObject* type) {
  struct known_type {
    PyTypeObject* type;
    dlpack::exchange_api* api;
  };
  static known_type known[4] = {};
  static unsigned next = 0;
  for (const known_type& each : known)
    if (each.type == type) return each.api;

  dlpack::exchange_api* api = nullptr;
  const py::object capsule =
      py::getattr(reinterpret_cast<PyObject*>(type), dlpack::exchange_attribute, py::none());
  if (PyCapsule_IsValid(capsule.ptr(), dlpack::exchange_capsule))
    api = static_cast<dlpack::exchange_api*>(PyCapsule_GetPointer(capsule.ptr(), dlpack::exchange_capsule));
  while (api && api->major != 1) api = api->older;
  if (api && !api->tensor_from_object) api = nullptr;
  Py_INCREF(type);  // a heap type that stays in the table must not be freed and its address reused
  Py_XDECREF(known[next % 4].type);
  known[next++ % 4] = {type, api};
  return api;
}

// Appends the dimension of the two reals to the view of a complex array, which its `type` and its own
// dimensions describe.
void read_as_pairs(array_view& view) {
  view.complex = true;
  view.dimensions[view.ndim++] = {2, dtype_bytes[int(view.type)]};
}

bool read_type(const dlpack::tensor& tensor, array_view& view) {
  view.complex = tensor.type_code == dlpack::complex_code;
  if (tensor.type_lanes != 1) return false;
  if (tensor.type_code == dlpack::bfloat_code && tensor.type_bits == 16) {
    view.type = dtype::bf16;
    return true;
  }
  if (!view.complex && tensor.type_code != dlpack::float_code) return false;
  const int bits = view.complex ? tensor.type_bits / 2 : tensor.type_bits;
  if (bits == 32)
    view.type = dtype::f32;
  else if (bits == 64)
    view.type = dtype::f64;
  else if (bits == 16)
    view.type = dtype::f16;
  else
    return false;
  return true;
}

bool says_yes(py::handle object, PyObject* question) {
  const auto answer = py::reinterpret_steal<py::object>(PyObject_CallMethodNoArgs(object.ptr(), question));
  if (!answer) PyErr_Clear();  // a library that knows no such views
  return answer.ptr() == Py_True;
}

bool is_negated(py::handle tensor) {
  static PyObject* const question = PyUnicode_InternFromString("is_neg");
  return says_yes(tensor, question);
}

bool is_conjugated(py::handle tensor) {
  static PyObject* const question = PyUnicode_InternFromString("is_conj");
  return says_yes(tensor, question);
}

// False where the tensor is not one that can be updated here; gradstep.arrays.describe then says why.
bool read_tensor(dlpack::exchange_api& api, py::handle object, array_view& view) {
  dlpack::tensor tensor;
  if (api.tensor_from_object(object.ptr(), &tensor) != 0) {
    PyErr_Clear();
    return false;
  }
  if ((tensor.device_type != dlpack::cpu && tensor.device_type != dlpack::cuda) ||
      tensor.ndim > dimension_limit || !read_type(tensor, view))
    return false;
  view.where = {tensor.device_type, tensor.device_id};
  view.data = static_cast<char*>(tensor.data) + tensor.byte_offset;
  view.writable = true;
  view.ndim = tensor.ndim;
  const int64_t bytes = tensor.type_bits / 8;
  int64_t size = 1;
  for (int d = 0; d < tensor.ndim; ++d) {
    size *= view.dimensions[d].size = tensor.shape[d];
    view.dimensions[d].stride = tensor.strides[d] * bytes;
  }
  if (view.complex) read_as_pairs(view);
  if (view.complex && is_conjugated(object)) return false;  // DLPack gives it without its signs
  return tensor.data || size == 0;  // a wrapper, a fake tensor or a freed storage has no data
}

bool read_numpy(py::handle object, array_view& view) {
  const auto array = py::reinterpret_borrow<py::array>(object);
  const py::dtype type = array.dtype();
  constexpr int half = 23;  // NumPy's type number
  const int number = type.num();
  view.complex = type.kind() == 'c';
  if (number == py::dtype::of<float>().num() || number == py::dtype::of<std::complex<float>>().num())
    view.type = dtype::f32;
  else if (number == py::dtype::of<double>().num() || number == py::dtype::of<std::complex<double>>().num())
    view.type = dtype::f64;
  else if (number == half)
    view.type = dtype::f16;
  else
    return false;
  const char order = type.byteorder();
  if (order != '=' && order != '|') return false;
  view.data = static_cast<char*>(const_cast<void*>(array.data()));
  view.writable = array.writeable();
  view.where = host_memory;
  view.ndim = int(array.ndim());
  if (view.ndim > dimension_limit) return false;
  for (int d = 0; d < view.ndim; ++d) view.dimensions[d] = {array.shape(d), array.strides(d)};
  if (view.complex) read_as_pairs(view);
  return true;
}

}  // namespace

bool read_directly(py::handle array, array_view& view) {
  if (dlpack::exchange_api* api = exchange_of(Py_TYPE(array.ptr()))) return read_tensor(*api, array, view);
  return py::isinstance<py::array>(array) && read_numpy(array, view);
}

array_view read_description(py::handle object, const array_role& role, py::object& owner) {
  static py::handle describe = py::object(py::module_::import("gradstep.arrays").attr("describe")).release();
  const py::tuple found = describe(object, role.text());
  array_view view;
  const auto address = found[0].cast<uintptr_t>();
  view.data = reinterpret_cast<char*>(address);
  const auto name = found[1].cast<std::string>();
  for (int i = 0; i < dtype_count; ++i)
    if (name == dtype_names[i]) view.type = dtype(i);
  const bool is_complex = found[2].cast<bool>();
  const auto shape = found[3].cast<std::vector<int64_t>>();
  const auto strides = found[4].cast<std::vector<int64_t>>();
  view.ndim = int(shape.size());
  for (int d = 0; d < view.ndim; ++d) view.dimensions[d] = {shape[size_t(d)], strides[size_t(d)]};
  if (is_complex) read_as_pairs(view);
  view.writable = found[5].cast<bool>();
  const auto [type, id] = found[6].cast<std::pair<int32_t, int32_t>>();
  view.where = {type, id};
  owner = found[7];
  return view;
}

namespace {

bool try_to_read(py::handle array, const array_role& role, array_view& view) {
  if (read_directly(array, view)) return true;
  try {
    py::object owner;
    view = read_description(array, role, owner);
    return true;
  } catch (py::error_already_set&) {
    return false;
  }
}

}  // namespace

void inspect_tensor(py::handle array, const array_role& role) {
  py::object owner;
  if (exchange_of(Py_TYPE(array.ptr()))) read_description(array, role, owner);
}

void refuse_negated(py::handle array, const array_role& role) {
  if (!exchange_of(Py_TYPE(array.ptr()))) return;
  py::object owner;
  if (is_negated(array)) read_description(array, role, owner);
}

array_view read_anywhere(py::handle array, const array_role& role, py::object& owner) {
  array_view view;  // the only thing returned, so that its kilobyte is never copied
  if (!read_directly(array, view)) view = read_description(array, role, owner);
  return view;
}

array_view read_array(py::handle array, const array_role& role, py::object& owner) {
  const array_view view = read_anywhere(array, role, owner);
  role.refuse_elsewhere(view);
  return view;
}

device common_device(const py::list& parameters) {
  int first = -1;
  device found = host_memory;
  for (int i = 0; i < int(parameters.size()); ++i) {
    array_view view;
    if (!try_to_read(parameters[size_t(i)], {"parameter", i}, view)) continue;
    if (first < 0) {
      first = i;
      found = view.where;
    }
    if (view.where != found)
      throw py::type_error("parameter " + std::to_string(i) + " is on " + view.where.text() +
                           ", but parameter " + std::to_string(first) + " is on " + found.text() +
                           ": an optimizer steps one device, make one for each");
  }
  return found;
}

void* current_stream(py::handle array, const device& where) {
  if (where.type == dlpack::cpu) return nullptr;
  if (dlpack::exchange_api* api = exchange_of(Py_TYPE(array.ptr())); api && api->current_stream) {
    void* stream = nullptr;
    if (api->current_stream(where.type, where.id, &stream) != 0) throw py::error_already_set();
    return stream;
  }
  static py::handle ask =
      py::object(py::module_::import("gradstep.devices").attr("current_stream")).release();
  return reinterpret_cast<void*>(ask(array, where.id).cast<uintptr_t>());
}

}  // namespace gradstep
