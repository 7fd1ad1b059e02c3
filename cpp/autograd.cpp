#include "autograd.h"

namespace py = pybind11;

namespace gradstep {

namespace {

struct known_autograd {
  py::handle tensor, increment_version;  // null until torch is there
  bool takes_list = true;
};
known_autograd autograd;

void increment(py::handle argument) {
  if (!py::reinterpret_steal<py::object>(
          PyObject_CallOneArg(autograd.increment_version.ptr(), argument.ptr())))
    throw py::error_already_set();
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
  if (autograd.takes_list) return increment(tensors);
  for (const py::handle each : tensors) increment(each);
}

}  // namespace gradstep
