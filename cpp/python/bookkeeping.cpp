#include "python/bookkeeping.h"

namespace py = pybind11;

namespace gradstep {

namespace {

py::handle new_marker() { return PyObject_CallNoArgs(reinterpret_cast<PyObject*>(&PyBaseObject_Type)); }

void check(bool done) {
  if (!done) throw py::error_already_set();
}

}  // namespace

py::handle bookkeeping::removed() {
  static const py::handle marker = new_marker();
  return marker;
}

py::handle bookkeeping::gradient_norm() {
  static const py::handle marker = new_marker();
  return marker;
}

bookkeeping::bookkeeping(const py::list& entries) {
  entries_.reserve(entries.size());
  for (const py::handle each : entries) {
    const auto parts = py::reinterpret_borrow<py::tuple>(each);
    entry made = {parts[0], parts[1], parts[2]};
    (made.value.is(gradient_norm()) ? norms_ : entries_).push_back(std::move(made));
  }
}

py::object bookkeeping::read(const entry& of) {
  if (PyDict_Check(of.target.ptr())) {
    PyObject* const found = PyDict_GetItemWithError(of.target.ptr(), of.key.ptr());
    check(found || !PyErr_Occurred());
    return py::reinterpret_borrow<py::object>(found ? found : removed().ptr());
  }
  PyObject* const found = PyList_Check(of.target.ptr()) ? PyObject_GetItem(of.target.ptr(), of.key.ptr())
                                                        : PyObject_GetAttr(of.target.ptr(), of.key.ptr());
  check(found);
  return py::reinterpret_steal<py::object>(found);
}

void bookkeeping::write(const entry& each, py::handle value) {
  if (PyList_Check(each.target.ptr())) {
    check(PyObject_SetItem(each.target.ptr(), each.key.ptr(), value.ptr()) == 0);
  } else if (!PyDict_Check(each.target.ptr())) {
    check(PyObject_SetAttr(each.target.ptr(), each.key.ptr(), value.ptr()) == 0);
  } else if (!value.is(removed())) {
    check(PyDict_SetItem(each.target.ptr(), each.key.ptr(), value.ptr()) == 0);
  } else if (!read(each).is(removed())) {
    check(PyDict_DelItem(each.target.ptr(), each.key.ptr()) == 0);
  }
}

std::vector<py::object> bookkeeping::replace() const {
  std::vector<py::object> replaced;
  replaced.reserve(entries_.size());
  try {
    for (const entry& each : entries_) {
      replaced.push_back(read(each));
      write(each, each.value);
    }
  } catch (py::error_already_set&) {
    put_back(replaced);
    throw;
  }
  return replaced;
}

void bookkeeping::put_back(const std::vector<py::object>& replaced, const bookkeeping& kept) const {
  auto next = kept.entries_.rbegin();
  for (size_t i = replaced.size(); i-- > 0;) {
    if (next != kept.entries_.rend() && next->is(entries_[i]))
      ++next;
    else
      write(entries_[i], replaced[i]);
  }
}

void bookkeeping::write_norm(double norm) const {
  if (norms_.empty()) return;
  const py::float_ number(norm);
  for (const entry& each : norms_) write(each, number);
}

}  // namespace gradstep
