// A tensor of a plan: the objects it belongs to, where their elements lie, and its own time.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "block.h"
#include "identities.h"

namespace gradstep {

// A 0-d array in the user's state that mirrors a number of ours; the array is what counts, so that a saved
// state is the whole state.
struct mirror {
  char* data;
  dtype type;

  double get() const;
  void set(double value) const;
};

// Raises for an array that can't be written; `keep` holds what keeps its memory alive.
array_view read_parameter(pybind11::handle parameter, int index, std::vector<pybind11::object>& keep);

struct slot {
  pybind11::object parameter;
  pybind11::dict state;
  std::vector<pybind11::object> names, members;  // the arrays' and then the mirrors', held by identity
  identities values_seen;                        // of the dict, when it held the members
  std::vector<mirror> mirrors;                   // of t, then of the numbers that the rule keeps
  int64_t t = 0;                                 // updates applied so far
  bool fresh = true;                             // no update since the states were made
  array_view view{}, gradient_view{};            // what the task is laid out for
  const PyObject* gradient_seen = nullptr;       // the last gradient, for its identity alone
  visiting_order order;
  int64_t size = 0;
  tensor_task task;
  bool laid_out = false;  // the task is as the view says; an error on the way leaves it false

  // Takes up the parameter's and the gradient's present place; true if the parameter's has changed.
  bool read(pybind11::handle parameter_now, pybind11::handle gradient_now, int index,
            std::vector<pybind11::object>& keep);

  void bind(pybind11::dict new_state, const std::vector<std::string>& arrays,
            const std::vector<std::string>& numbers, bool is_fresh, int index);
  bool holds_its_states(int count);
  void forget_states() { task.state_count = -1; }

  clock now() const;             // the next update's time, read from the mirrors
  void advance(const clock& c);  // after the update

 private:
  void lay_out_states(int index);
};

}  // namespace gradstep
