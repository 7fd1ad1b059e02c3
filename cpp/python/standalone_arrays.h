// The arrays of a standalone operation, read and checked: each becomes part of a task.
#pragma once

#include <pybind11/cast.h>

#include <deque>
#include <vector>

#include "host/task.h"
#include "python/foreign_code.h"
#include "python/read_array.h"
#include "step/scalar_ref.h"

namespace gradstep {

class standalone_arrays {
 public:
  standalone_arrays(const device& where, size_t limit) : where_(where) {
    views_.reserve(limit + 1);  // so that they stay where they are
  }

  // `None` stands for a gradient that is missing.
  void read_gradients(const pybind11::list& gradients);
  void read_written_gradients(const pybind11::list& gradients);
  // The arrays to be written, each the `part` of a parameter's task, and the parameters.
  void read_pairs(operand tensor_task::* part, const char* what, const pybind11::list& written,
                  const pybind11::list& parameters);

  // One number that lies with them and is written.
  scalar_ref read_number(pybind11::handle number, const char* what);

  // To be called right before they are written, so that nothing can fail in between.
  void tell_autograd() const;

  std::deque<tensor_task>& tasks() { return tasks_; }
  bool empty() const { return arrays_.empty(); }
  // One of the arrays; there must be one.
  const pybind11::object& any() const { return arrays_.front(); }

 private:
  void take_gradients(const pybind11::list& gradients, bool written);
  const array_view& read(pybind11::handle array, array_role role, bool written);
  tensor_task& add(const array_view& visited);
  void finish() const;  // the reading: raises for what can't be used together, or was moved meanwhile

  device where_;
  std::vector<array_view> views_;
  std::vector<array_role> roles_;
  std::vector<bool> written_;
  std::vector<pybind11::object> arrays_, owners_;  // kept alive
  uint64_t calls_before_ = foreign_calls();
  std::deque<tensor_task> tasks_;
};

}  // namespace gradstep
