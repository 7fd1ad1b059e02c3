#include "python/read_array.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "python/attribute.h"
#include "python/callables.h"
#include "python/dlpack.h"
#include "python/foreign_code.h"
#include "python/known_types.h"
#include "python/numpy_array.h"
#include "python/tensor_shim.h"

namespace py = pybind11;

namespace gradstep {

py::tuple shape_of(const array_view& array) {
  const int owners = array.ndim - array.complex;
  py::tuple sizes(owners);
  for (int d = 0; d < owners; ++d) sizes[size_t(d)] = array.dimensions[d].size;
  return sizes;
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

void require_shape(const array_view& given, const array_view& parameter, const std::string& what,
                   const char* owner) {
  require_same_kind(given, parameter, what);
  if (given.same_shape_as(parameter)) return;
  throw py::value_error(what + " has shape " + std::string(py::str(shape_of(given))) + ", but " + owner +
                        " shape " + std::string(py::str(shape_of(parameter))) + ": they must be equal");
}

void refuse_elsewhere(const array_view& array, const array_role& role) {
  if (array.where == role.where) return;
  throw py::type_error(role.text() + " is on " + array.where.text() +
                       ", but this optimizer steps arrays on " + role.where.text() +
                       ": move it there, or make an optimizer of what is on " + array.where.text());
}

scalar_ref read_scalar(const array_view& number, const std::string& what) {
  const std::optional<scalar_ref> found = scalar_of(number);
  if (!found || !number.writable)
    throw py::value_error(what + " must be a writable array of one float32 or float64 number");
  return *found;
}

namespace {

// A complex number's bits are those of both parts.
bool read_type(const dlpack::tensor& tensor, array_view& view) {
  view.complex = tensor.type_code == dlpack_complex;
  if (tensor.type_lanes != 1) return false;
  const int code = view.complex ? dlpack_float : tensor.type_code;
  return view.take_format([&](const format& each) {
    return each.dlpack_code == code && 8 * each.bytes * (view.complex ? 2 : 1) == tensor.type_bits;
  });
}

// The answer of a method that a library may not have.
bool says_yes(method& question, py::handle tensor) {
  const py::object answer = question.of(tensor);
  if (!answer) clear_refusal();
  return answer.ptr() == Py_True;
}

bool is_negated(py::handle tensor) {
  static method is_neg("is_neg");
  return says_yes(is_neg, tensor);
}

bool is_conjugated(py::handle tensor) {
  static method is_conj("is_conj");
  return says_yes(is_conj, tensor);
}

// False where the tensor is not one that can be updated here; gradstep.interop.arrays.describe then says why.
bool read_tensor(dlpack::exchange_api& api, py::handle object, array_view& view) {
  dlpack::tensor tensor;
  if (api.tensor_from_object(object.ptr(), &tensor) != 0) {
    clear_refusal();
    return false;
  }
  if ((tensor.device_type != host_memory.type && tensor.device_type != cuda_device) ||
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
  if (view.complex) view.see_as_pairs();
  if (view.complex && is_conjugated(object)) return false;  // DLPack gives it without its signs
  return tensor.data || size == 0;  // a wrapper, a fake tensor or a freed storage has no data
}

}  // namespace

bool read_directly(py::handle array, array_view& view) {
  if (dlpack::exchange_api* api = exchange_of(Py_TYPE(array.ptr()))) return read_tensor(*api, array, view);
  return read_numpy(array, view);
}

array_view read_description(py::handle object, const array_role& role, py::object& owner) {
  if (!known_type_of(Py_TYPE(object.ptr())).plain) count_foreign_call();
  const py::tuple found = python().describe(object, role.text());
  array_view view;
  const auto address = found[0].cast<uintptr_t>();
  view.data = reinterpret_cast<char*>(address);
  const auto name = found[1].cast<std::string>();
  view.take_format([&](const format& each) { return name == each.name; });
  const bool is_complex = found[2].cast<bool>();
  const py::tuple shape = found[3], strides = found[4];
  if (shape.size() > dimension_limit)
    throw py::value_error(role.text() + " has " + std::to_string(shape.size()) + " dimensions: at most " +
                          std::to_string(dimension_limit) + " are supported; reshape it");
  if (strides.size() != shape.size())
    throw py::value_error(role.text() + " has " + std::to_string(shape.size()) + " dimensions and " +
                          std::to_string(strides.size()) + " strides: pass an array that is whole");
  view.ndim = int(shape.size());
  for (int d = 0; d < view.ndim; ++d)
    view.dimensions[d] = {shape[size_t(d)].cast<int64_t>(), strides[size_t(d)].cast<int64_t>()};
  if (is_complex) view.see_as_pairs();
  view.writable = found[5].cast<bool>();
  const auto [type, id] = found[6].cast<std::pair<int32_t, int32_t>>();
  view.where = {type, id};
  owner = found[7];
  if (!view.data && view.size() > 0)
    throw py::value_error(role.text() + " has no memory: its storage was freed or resized; restore it");
  return view;
}

bool try_to_read(py::handle array, const array_role& role, array_view& view) {
  if (read_directly(array, view)) return true;
  try {
    py::object owner;
    view = read_description(array, role, owner);
    return true;
  } catch (py::error_already_set& refusal) {
    if (!refusal.matches(PyExc_Exception)) throw;
    return false;
  }
}

namespace {

int64_t last_byte(const array_view& view) {
  int64_t last = format_of(view.type).bytes;
  for (int d = 0; d < view.ndim; ++d) last += (view.dimensions[d].size - 1) * view.dimensions[d].stride;
  return last;
}

// Returns the number that a method of a tensor without arguments returns, or -1 where it fails.
int64_t ask(method& question, py::handle object) {
  const py::object answer = question.of(object);
  const int64_t number = answer ? PyLong_AsLongLong(answer.ptr()) : -1;
  if (PyErr_Occurred()) clear_refusal();
  return number;
}

// The bytes of a tensor's storage and where in it the tensor begins, in elements; negative where that can't
// be told.
struct storage_extent {
  int64_t bytes = -1, offset = -1;
};

storage_extent ask_for_storage(py::handle tensor) {
  static method untyped_storage("untyped_storage"), storage_offset("storage_offset");
  storage_extent found;
  const py::object storage = untyped_storage.of(tensor);
  if (storage) found = {PyObject_Size(storage.ptr()), ask(storage_offset, tensor)};
  if (PyErr_Occurred()) clear_refusal();
  return found;
}

storage_extent storage_of(py::handle tensor) {
  tensor_place place;
  if (!known_type_of(Py_TYPE(tensor.ptr())).by_shim) return ask_for_storage(tensor);
  if (!tensor_shim::look(tensor, place)) return {};
  return {place.storage_bytes, place.storage_offset};
}

bool holds_its_elements(py::handle tensor, const array_view& view) {
  if (view.size() == 0) return true;
  const storage_extent storage = storage_of(tensor);
  const int64_t element = format_of(view.type).bytes * (view.complex ? 2 : 1);
  return storage.offset >= 0 && storage.offset * element + last_byte(view) <= storage.bytes;
}

}  // namespace

bool lies_as_read(py::handle array, const array_view& view) {
  array_view now;
  const auto same_as_now = [&] {
    return now.data == view.data && now.type == view.type && now.same_place_as(view);
  };
  if (exchange_of(Py_TYPE(array.ptr())))
    return read_directly(array, now) && same_as_now() && holds_its_elements(array, now);
  if (is_described_tensor(array)) return try_to_read(array, {"an array"}, now) && same_as_now();
  return !is_numpy(array) || lies_as_read(fields_of(array), view);
}

void inspect_tensor(py::handle array, const array_view& view, const array_role& role) {
  const known_type& type = known_type_of(Py_TYPE(array.ptr()));
  if (!type.api) return;
  if (!type.plain) count_foreign_call();
  py::object owner;
  if (is_negated(array) || !holds_its_elements(array, view)) read_description(array, role, owner);
}

array_view read_anywhere(py::handle array, const array_role& role, py::object& owner) {
  array_view view;  // the only thing returned, so that its kilobyte is never copied
  if (!read_directly(array, view)) view = read_description(array, role, owner);
  return view;
}

array_view read_array(py::handle array, const array_role& role, py::object& owner) {
  const array_view view = read_anywhere(array, role, owner);
  refuse_elsewhere(view, role);
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
  if (where.type == host_memory.type) return nullptr;
  if (dlpack::exchange_api* api = exchange_of(Py_TYPE(array.ptr())); api && api->current_stream) {
    void* stream = nullptr;
    if (api->current_stream(where.type, where.id, &stream) != 0) throw py::error_already_set();
    return stream;
  }
  return reinterpret_cast<void*>(python().current_stream(array, where.id).cast<uintptr_t>());
}

}  // namespace gradstep
