// A tensor of a plan: the objects it belongs to, where their elements lie, and its own time.
#pragma once

#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "block.h"
#include "identities.h"
#include "settings.h"

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

// What a state holds, by name: the rule's arrays and numbers in the order of its arguments, and those of what
// surrounds it (no name where there is none).
struct state_names {
  std::vector<std::string> arrays, numbers;
  std::string average, average_product, copy;
};

struct slot {
  pybind11::object parameter;
  pybind11::dict state;
  std::vector<pybind11::object> names, members;  // of the state, held by identity
  identities values_seen;                        // of the dict, when it held the members
  std::vector<mirror> mirrors;                   // of t, then of the numbers that the rule keeps
  mirror average_product{};                      // of the decays so far, where the average is corrected
  int64_t t = 0;                                 // updates applied so far
  bool fresh = true;                             // no update since the states were made
  array_view view{}, gradient_view{};            // what the task is laid out for
  const PyObject* gradient_seen = nullptr;       // the last gradient, for its identity alone
  bool gradient_moved = true;                    // since it was found fit to be zeroed
  visiting_order order;
  int64_t size = 0;
  tensor_task task;
  double measured[2] = {};  // for the rule, over this tensor or over all
  bool laid_out = false;    // the task is as the view says; an error on the way leaves it false

  // Takes up the parameter's and the gradient's present place; true if the parameter's has changed.
  bool read(pybind11::handle parameter_now, pybind11::handle gradient_now, int index,
            std::vector<pybind11::object>& keep);

  void bind(pybind11::dict new_state, const state_names& names_of, bool is_fresh, int index);
  bool holds_its_states(int count, const group_settings& settings);
  bool holds_states() const { return state.ptr() && task.state_count >= 0; }
  void forget_states() { task.state_count = -1; }

  arithmetic arithmetic_type() const { return view.type == dtype::f64 ? arithmetic::f64 : arithmetic::f32; }
  clock now() const;               // the next update's time, read from the mirrors
  void take_time(const clock& c);  // its count and the numbers that the rule keeps
  void advance(const clock& c);    // after the update

 private:
  void lay_out_states(int index);
  operand lay_out_state(size_t member, int index) const;
  mirror read_number(size_t member, int index) const;
};

}  // namespace gradstep
