// Changes that an update makes in Python's objects beside the arrays: counts, rates, states that it has made.
// All of it is written at once, by code that no signal can interrupt, so that an update is counted whole or
// not at all.
#pragma once

#include <pybind11/cast.h>

#include <vector>

namespace gradstep {

class bookkeeping {
 public:
  bookkeeping() = default;
  // `entries` holds tuples (target, key, value): an item of a dict or a list, or an attribute of anything
  // else. The value `removed` takes a dict's item away, `gradient_norm` stands for the norm that the step
  // finds.
  explicit bookkeeping(const pybind11::list& entries);

  // Writes all entries but the norms and then calls `then`; where one raises, or that does, those before it
  // are put back.
  template <class Then>
  void write(const Then& then) const;
  void write() const {
    write([] {});
  }
  void write_norm(double norm) const;

  static pybind11::handle removed();
  static pybind11::handle gradient_norm();

 private:
  struct entry {
    pybind11::object target, key, value;
  };
  static pybind11::object read(const entry& of);  // `removed` for none
  static void write(const entry& each, pybind11::handle value);

  std::vector<entry> entries_, norms_;
};

template <class Then>
void bookkeeping::write(const Then& then) const {
  std::vector<pybind11::object> before;
  before.reserve(entries_.size());
  try {
    for (const entry& each : entries_) {
      before.push_back(read(each));
      write(each, each.value);
    }
    then();
  } catch (pybind11::error_already_set&) {
    while (!before.empty()) {
      write(entries_[before.size() - 1], before.back());
      before.pop_back();
    }
    throw;
  }
}

}  // namespace gradstep
