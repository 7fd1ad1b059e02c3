// Attributes and methods of many objects of few types. Looking one up in the type costs as much as using it,
// so it is looked up once for consecutive objects of one type.
#pragma once

#include <pybind11/cast.h>

namespace gradstep {

class attribute {
 public:
  explicit attribute(pybind11::handle name) : name_(name) {}

  // Raises what Python does.
  pybind11::object of(pybind11::handle object) {
    if (Py_TYPE(object.ptr()) != type_) find(Py_TYPE(object.ptr()));
    PyObject* const found =
        getter_ ? getter_->get(object.ptr(), getter_->closure) : PyObject_GetAttr(object.ptr(), name_.ptr());
    if (!found) throw pybind11::error_already_set();
    return pybind11::reinterpret_steal<pybind11::object>(found);
  }

 private:
  // A getter written in C comes before the object's own attributes.
  void find(PyTypeObject* type) {
    type_ = type;
    getter_ = nullptr;
    if (type->tp_getattro != PyObject_GenericGetAttr) return;
    const auto found = pybind11::getattr(reinterpret_cast<PyObject*>(type), name_, pybind11::none());
    if (!Py_IS_TYPE(found.ptr(), &PyGetSetDescr_Type)) return;
    const auto* const descriptor = reinterpret_cast<PyGetSetDescrObject*>(found.ptr());
    if (descriptor->d_getset->get && PyType_IsSubtype(type, PyDescr_TYPE(descriptor)))
      getter_ = descriptor->d_getset;
  }

  pybind11::handle name_;
  PyTypeObject* type_ = nullptr;
  PyGetSetDef* getter_ = nullptr;
};

// A method without arguments.
class method {
 public:
  explicit method(const char* name) : name_(PyUnicode_InternFromString(name)) {}

  // Returns null, with Python's error set, where the method raises.
  pybind11::object of(pybind11::handle object) {
    if (Py_TYPE(object.ptr()) != type_) find(Py_TYPE(object.ptr()));
    PyObject* const found =
        function_ ? function_(object.ptr(), nullptr) : PyObject_CallMethodNoArgs(object.ptr(), name_);
    return pybind11::reinterpret_steal<pybind11::object>(found);
  }

 private:
  void find(PyTypeObject* type) {
    Py_INCREF(type);  // a type that is remembered must not be freed and its address reused
    Py_XDECREF(type_);
    type_ = type;
    function_ = nullptr;
    const auto found =
        pybind11::getattr(reinterpret_cast<PyObject*>(type), pybind11::handle(name_), pybind11::none());
    if (!Py_IS_TYPE(found.ptr(), &PyMethodDescr_Type)) return;
    const PyMethodDef* const definition = reinterpret_cast<PyMethodDescrObject*>(found.ptr())->d_method;
    if (definition->ml_flags == METH_NOARGS && PyType_IsSubtype(type, PyDescr_TYPE(found.ptr())))
      function_ = definition->ml_meth;
  }

  PyObject* name_;
  PyTypeObject* type_ = nullptr;
  PyCFunction function_ = nullptr;
};

}  // namespace gradstep
