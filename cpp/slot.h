// A tensor of a plan: the objects it belongs to, where their elements lie, and its own time.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <vector>

#include "block.h"
#include "identities.h"
#include "rows.h"
#include "settings.h"
#include "tensor_time.h"

namespace gradstep {

// Raises for an array that can't be written; `keep` holds what keeps its memory alive.
array_view read_parameter(pybind11::handle parameter, const array_role& role,
                          std::vector<pybind11::object>& keep);

// What a state holds, by name: the rule's arrays and numbers in the order of its arguments, and those of what
// surrounds it (no name where there is none).
struct state_names {
  std::vector<std::string> arrays, numbers;
  std::string average, average_product, copy;
};

struct slot {
  explicit slot(const device& where = host_memory) : where(where) {}

  device where;  // of all its arrays
  pybind11::object parameter;
  pybind11::dict state;
  std::vector<pybind11::object> names, members;  // of the state, held by identity
  identities values_seen;                        // of the dict, when it held the members
  std::vector<number_cell> cells;                // of t, then of the numbers that the rule keeps
  number_cell average_product{};                 // of the decays so far, where the average is corrected
  int64_t t = 0;                                 // updates applied so far
  int64_t moved_at = 0;                          // the plan's move that brought it to where it lies
  bool fresh = true;                             // no update since the states were made
  bool timed_by_device = false;                  // it has taken up t and fresh, and advances them
  array_view view{}, gradient_view{};            // what the task is laid out for
  pybind11::handle gradient_seen;                // the last gradient; alive only within its step
  bool gradient_moved = true;  // since it was found apart from what it must not share memory with
  bool known_apart = false;    // so were all others of its arrays, where they lie now
  visiting_order order;
  int row_dimensions = 0;  // of a sparse gradient; 0 for a dense one
  row_order rows;          // of it
  row_history history;     // of rows that lag
  tensor_task task;
  double measured[2] = {};       // the rule's sums for this update, over this tensor or over all
  std::optional<sums> released;  // of its last update, until they are joined with the others'
  bool to_be_joined = false;     // and where a device keeps them
  bool laid_out = false;         // the task is as the view says; an error on the way leaves it false
  bool states_known = true;      // the dict's, as far as we know

  // Takes up the parameter's and the gradient's present place; true if what is visited has changed.
  bool read(pybind11::handle parameter_now, pybind11::handle gradient_now, int index, row_policy policy,
            std::vector<pybind11::object>& keep);

  // For what would not let the rows rest that a sparse gradient leaves out, or can't be done to one.
  void refuse_beside_rows(const group_settings& settings, int index) const;

  // Takes up the parameter's present place, for a visit of those of these rows that lag; None for all rows.
  void visit_lagging(const pybind11::object& numbers, int index, std::vector<pybind11::object>& keep);
  bool lags() const { return !history.steps.empty(); }
  void note_made();       // that the visited rows are up to date
  void forget_history();  // when all are

  void bind(pybind11::dict new_state, const state_names& names_of, bool is_fresh, int index);
  bool holds_its_states(int count, const group_settings& settings);
  void forget_states() { states_known = false; }

  tensor_time time() const { return {cells.data(), int(cells.size()), average_product}; }
  clock now() const { return time().next(t, fresh); }  // the next update's
  void advance(const clock& c);                        // after the update

 private:
  bool read_dense(const array_view& seen, const array_view& gradient, int index);
  void read_rows(const array_view& seen, const sparse_gradient& gradient, int index,
                 std::vector<pybind11::object>& keep);
  void follow_rows(bool lag, int index);
  void refuse_lagging(int index) const;
  bool lies_elsewhere(const array_view& seen, int rows_now) const;
  bool is_reshaped(const array_view& seen, int rows_now) const;
  void lay_out(const array_view& seen, int rows_now, int index);
  operand visited_part(const array_view& array) const;
  void lay_out_states(int index);
  operand lay_out_state(size_t member, int index) const;
  array_role role(const char* what, int index) const { return {what, index, where}; }
  number_cell read_number(size_t member, int index) const;
};

// The tensors that have a gradient in a step, the groups that they are of, and the move that has brought each
// to where it lies.
struct active_tensors {
  std::vector<int> indices, groups;
  std::vector<int64_t> moves;

  void clear() {
    indices.clear();
    groups.clear();
    moves.clear();
  }
  void add(int index, int group, int64_t moved_at) {
    indices.push_back(index);
    groups.push_back(group);
    moves.push_back(moved_at);
  }
  bool operator==(const active_tensors&) const = default;
};

}  // namespace gradstep
