// The members of a dict or a list as they were, by identity, to find out whether one has been replaced.
// Iterating over the values is several times faster than looking each up.
#pragma once

#include <pybind11/cast.h>

#include <cstdint>
#include <vector>

namespace gradstep {

// True if a dict holds these keys and these values, in this order: the very objects.
inline bool holds_items(const pybind11::dict& container, const pybind11::tuple& keys,
                        const pybind11::tuple& values) {
  const size_t size = size_t(PyDict_Size(container.ptr()));
  if (size != keys.size() || size != values.size()) return false;
  Py_ssize_t position = 0;
  PyObject *key, *value;
  for (Py_ssize_t i = 0; PyDict_Next(container.ptr(), &position, &key, &value); ++i) {
    if (PyTuple_GET_ITEM(keys.ptr(), i) != key || PyTuple_GET_ITEM(values.ptr(), i) != value) return false;
  }
  return true;
}

class identities {
 public:
  bool match(pybind11::handle container) {
    if (!remembers_) return false;
    const uint64_t version = version_of(container);
    if (version != 0 && version == version_) return true;
    size_t i = 0;
    bool same = true;
    for_each(container, [&](const PyObject* member) {
      same = same && i < seen_.size() && seen_[i] == member;
      ++i;
    });
    same = same && i == seen_.size();
    if (same) version_ = version;
    return same;
  }

  // Allocates for this number of members, so that remembering them allocates nothing.
  void reserve(size_t members) { seen_.reserve(members); }

  void remember(pybind11::handle container) {
    seen_.clear();
    for_each(container, [&](const PyObject* member) { seen_.push_back(member); });
    version_ = version_of(container);
    remembers_ = true;
  }

  void forget() { remembers_ = false; }

 private:
  // A number that no two dicts share and that changes with its dict; 0 for a list, and where Python has none.
  static uint64_t version_of([[maybe_unused]] pybind11::handle container) {
#if PY_VERSION_HEX < 0x030c0000
    if (PyDict_Check(container.ptr()))
      return reinterpret_cast<PyDictObject*>(container.ptr())->ma_version_tag;
#endif
    return 0;
  }

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
  bool remembers_ = false;
  uint64_t version_ = 0;  // when they were last found the same
};

}  // namespace gradstep
