// The members of a dict or a list as they were, by identity: tells whether anybody has replaced one. A walk
// through the values is several times faster than looking each up.
#pragma once

#include <pybind11/pybind11.h>

#include <vector>

namespace gradstep {

class identities {
 public:
  bool match(pybind11::handle container) const {
    size_t i = 0;
    bool same = true;
    for_each(container, [&](const PyObject* member) {
      same = same && i < seen_.size() && seen_[i] == member;
      ++i;
    });
    return same && i == seen_.size();
  }

  void remember(pybind11::handle container) {
    seen_.clear();
    for_each(container, [&](const PyObject* member) { seen_.push_back(member); });
  }

 private:
  template <class Visit>
  static void for_each(pybind11::handle container, Visit visit) {
    if (PyList_Check(container.ptr())) {
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(container.ptr()); ++i)
        visit(PyList_GET_ITEM(container.ptr(), i));
      return;
    }
    Py_ssize_t position = 0;
    PyObject *key, *value;
    while (PyDict_Next(container.ptr(), &position, &key, &value)) visit(value);
  }

  std::vector<const PyObject*> seen_;
};

}  // namespace gradstep
