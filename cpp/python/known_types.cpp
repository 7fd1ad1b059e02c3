#include "python/known_types.h"

#include "python/autograd.h"
#include "python/callables.h"
#include "python/foreign_code.h"
#include "python/tensor_shim.h"

namespace py = pybind11;

namespace gradstep {

namespace {

dlpack::exchange_api* find_exchange(PyTypeObject* type) {
  const py::object capsule =
      py::getattr(reinterpret_cast<PyObject*>(type), dlpack::exchange_attribute, py::none());
  dlpack::exchange_api* api = nullptr;
  if (PyCapsule_IsValid(capsule.ptr(), dlpack::exchange_capsule))
    api = static_cast<dlpack::exchange_api*>(PyCapsule_GetPointer(capsule.ptr(), dlpack::exchange_capsule));
  while (api && api->major != 1) api = api->older;
  return api && api->tensor_from_object ? api : nullptr;
}

}  // namespace

const known_type& known_type_of(PyTypeObject* type) {
  constexpr size_t count = 8;
  static known_type known[count] = {};
  static size_t next = 0;
  for (const known_type& each : known)
    if (each.type == type) return each;
  count_foreign_call();
  const bool plain = python().meet_type(py::handle(reinterpret_cast<PyObject*>(type))).cast<bool>();
  known_type& made = known[next++ % count];
  Py_INCREF(type);  // a heap type that stays in the table must not be freed and its address reused
  Py_XDECREF(made.type);
  dlpack::exchange_api* const api = find_exchange(type);
  made = {type, api, plain, plain && api && tensor_shim::is_known()};
  return made;
}

dlpack::exchange_api* exchange_of(PyTypeObject* type) { return known_type_of(type).api; }

bool is_described_tensor(py::handle array) { return !exchange_of(Py_TYPE(array.ptr())) && is_tensor(array); }

}  // namespace gradstep
