// Changes that an update makes in Python's objects other than arrays: counts, rates, states that it has made.
// All of them are written at once, by code that no signal can interrupt, so that an update is counted whole
// or not at all.
#pragma once

#include <pybind11/cast.h>

#include <vector>

namespace gradstep {

class bookkeeping {
 public:
  bookkeeping() = default;
  // `entries` holds tuples (target, key, value): an item of a dict or a list, or an attribute of any other
  // object. The value `removed` deletes a dict's item; `gradient_norm` stands for the norm that the step will
  // find.
  explicit bookkeeping(const pybind11::list& entries);

  // Writes all entries except the norms, or none if one raises. Returns the replaced values, in order.
  std::vector<pybind11::object> replace() const;
  // Writes back what `replace` returned, except for entries that are also in `kept`, in the same order.
  void put_back(const std::vector<pybind11::object>& replaced, const bookkeeping& kept = {}) const;
  void write_norm(double norm) const;

  static pybind11::handle removed();
  static pybind11::handle gradient_norm();

 private:
  struct entry {
    pybind11::object target, key, value;
    bool is(const entry& other) const {
      return target.is(other.target) && key.is(other.key) && value.is(other.value);
    }
  };
  static pybind11::object read(const entry& of);  // `removed` for none
  static void write(const entry& each, pybind11::handle value);

  std::vector<entry> entries_, norms_;
};

}  // namespace gradstep
