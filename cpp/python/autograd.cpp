#include "python/autograd.h"

namespace py = pybind11;

namespace gradstep {

namespace {

struct known_torch {
  py::handle tensor, increment_version, modes;  // null until torch is there
  bool takes_list = true;
};
known_torch torch;

bool increment(py::handle argument) {
  return bool(
      py::reinterpret_steal<py::object>(PyObject_CallOneArg(torch.increment_version.ptr(), argument.ptr())));
}

void increment_one(py::handle tensor) {
  if (increment(tensor)) return;
  if (!PyErr_ExceptionMatches(PyExc_RuntimeError)) throw py::error_already_set();
  PyErr_Clear();  // a tensor of inference mode, which has no version; a list may hold such tensors
}

}  // namespace

void meet_torch(py::type tensor, py::object increment_version, bool takes_list, py::object modes) {
  if (torch.tensor) return;
  torch = {tensor.release(), increment_version.release(), modes.release(), takes_list};
}

bool is_tensor(py::handle object) {
  return torch.tensor &&
         PyObject_TypeCheck(object.ptr(), reinterpret_cast<PyTypeObject*>(torch.tensor.ptr()));
}

bool torch_functions_are_overridden() {
  if (!torch.modes) return false;
  const auto count = py::reinterpret_steal<py::object>(PyObject_CallNoArgs(torch.modes.ptr()));
  if (!count) throw py::error_already_set();
  return PyLong_AsLong(count.ptr()) != 0;
}

void tell_autograd(const py::list& written) {
  if (!torch.tensor || written.empty()) return;
  py::list tensors;
  for (const py::handle each : written)
    if (is_tensor(each)) tensors.append(each);
  if (tensors.empty()) return;
  if (!torch.takes_list) {
    for (const py::handle each : tensors) increment_one(each);
  } else if (!increment(tensors)) {
    throw py::error_already_set();
  }
}

}  // namespace gradstep
