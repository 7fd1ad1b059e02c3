#include "autograd.h"

namespace py = pybind11;

namespace gradstep {

namespace {

struct known_autograd {
  py::handle tensor, increment_version;  // null until torch is there
  bool takes_list = true;
};
known_autograd autograd;

bool increment(py::handle argument) {
  return bool(py::reinterpret_steal<py::object>(
      PyObject_CallOneArg(autograd.increment_version.ptr(), argument.ptr())));
}

void increment_one(py::handle tensor) {
  if (increment(tensor)) return;
  if (!PyErr_ExceptionMatches(PyExc_RuntimeError)) throw py::error_already_set();
  PyErr_Clear();  // a tensor of inference mode, which has no version; a list may hold such tensors
}

}  // namespace

void meet_autograd(py::type tensor, py::object increment_version, bool takes_list) {
  if (autograd.tensor) return;
  autograd = {tensor.release(), increment_version.release(), takes_list};
}

void tell_autograd(const py::list& written) {
  if (!autograd.tensor || written.empty()) return;
  py::list tensors;
  for (const py::handle each : written)
    if (PyObject_TypeCheck(each.ptr(), reinterpret_cast<PyTypeObject*>(autograd.tensor.ptr())))
      tensors.append(each);
  if (tensors.empty()) return;
  if (!autograd.takes_list) {
    for (const py::handle each : tensors) increment_one(each);
  } else if (!increment(tensors)) {
    throw py::error_already_set();
  }
}

}  // namespace gradstep
