// A tensor of a plan: the objects it belongs to, where their elements lie, and its own time.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <vector>

#include "host/task.h"
#include "plan/settings.h"
#include "python/identities.h"
#include "python/rows.h"
#include "step/tensor_clock.h"

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

// A state for a tensor without a whole one, for one step: it becomes its own once that is sure to be made.
struct state_binding {
  int index;                    // of the tensor
  pybind11::dict state, added;  // what is there, and what the step adds to it
  state_names names;
  bool fresh;
};

struct slot {
  explicit slot(const device& where = host_memory, bool on_host = true) : where(where), on_host(on_host) {}

  device where;  // of all its arrays
  bool on_host;  // it is stepped there, and its numbers can be read
  pybind11::object parameter;
  pybind11::dict state;
  pybind11::object added;                        // what the next update adds to it; null for nothing
  std::vector<pybind11::object> names, members;  // of the state, held by identity
  std::vector<sighting> known;                   // of the members, when they were laid out
  sighting parameter_known, gradient_known;      // of a dense gradient
  identities values_seen;                        // of the dict, when it held the members
  std::vector<scalar_ref> cells;                 // of t, then of the numbers that the rule keeps
  scalar_ref average_product{};                  // of the decays so far, where the average is corrected
  bool corrects_average = false;
  int64_t t = 0;                       // updates applied so far
  int64_t moved_at = 0;                // the plan's move that brought it to where it lies
  bool fresh = true;                   // no update since the states were made
  bool timed_by_device = false;        // it has taken up t and fresh, and advances them
  array_view view{}, gradient_view{};  // what the task is laid out for
  pybind11::handle gradient_seen;      // the last gradient; alive only within its step
  pybind11::handle row_values;         // or what a sparse one holds for its rows
  bool gradient_moved = true;          // since it was found apart from what it must not share memory with
  bool known_apart = false;            // so were all others of its arrays, where they lie now
  visiting_order order;
  int row_dimensions = 0;  // of a sparse gradient; 0 for a dense one
  row_order rows;          // of it
  row_history history;     // of rows that lag
  tensor_task task;
  double measured[2] = {};       // the rule's sums for this update, over this tensor or over all
  std::optional<sums> released;  // of its last update, until they are joined with the others'
  bool to_be_joined = false;     // and where a device keeps them
  bool laid_out = false;         // the task is as the views say; an error on the way leaves it false
  bool states_known = true;      // the dict's, as far as we know
  bool bound = false;            // its states were read in this step

  void take(pybind11::handle parameter_now);  // begins anew for another one

  // Takes up the present place of the parameter, the gradient and the states, if it has those that a rule of
  // so many arrays needs; true if what is visited has changed.
  bool read(pybind11::handle gradient_now, int index, int state_count, const group_settings& settings,
            std::vector<pybind11::object>& keep);
  void refuse_wrong_count(int index) const;  // of updates, as the state says it

  // True if all that was read still lies there.
  bool is_unmoved(pybind11::handle gradient_now);

  // For what would not let the rows rest that a sparse gradient leaves out, or can't be done to one.
  void refuse_beside_rows(const group_settings& settings, int index) const;

  // Takes up the parameter's present place, for a visit of those of these rows that lag; None for all rows.
  void visit_lagging(const pybind11::object& numbers, int index, std::vector<pybind11::object>& keep);
  bool lags() const { return !history.steps.empty(); }
  void note_made();       // that the visited rows are up to date
  void forget_history();  // when all are

  void bind(const state_binding& given);
  void drop_added();                         // it is bound anew
  bool has_states() const { return bound; }  // in this step
  void forget_states() { states_known = false; }

  tensor_time time() const { return {cells.data(), int(cells.size()), average_product}; }
  clock now() const { return time().next(t, fresh); }  // the next update's
  void advance(const clock& c);                        // when the update is counted
  void reserve_history();                              // so that the next can't fail
  void note_step();                                    // once the update is made, for rows that lag

 private:
  array_view look_at_parameter(int index, std::vector<pybind11::object>& keep) const;
  bool read_dense(const array_view& seen, const array_view& gradient, int index,
                  std::vector<pybind11::object>& keep);
  void read_rows(const array_view& seen, const sparse_gradient& gradient, int index,
                 std::vector<pybind11::object>& keep);
  void refuse_rows_beyond(const array_view& values, int index) const;
  void follow_rows(bool lag, int index);
  void refuse_lagging(int index) const;
  bool lies_elsewhere(const array_view& seen, int rows_now) const;
  bool is_reshaped(const array_view& seen, int rows_now) const;
  void lay_out(const array_view& seen, int rows_now, int index);
  operand visited_part(const array_view& array) const;
  bool suits(int state_count, const group_settings& settings) const;
  bool holds_its_members();
  bool read_states(int index, std::vector<pybind11::object>& keep);
  // These read a state if it has moved since it was last read; false if it has not.
  bool read_member(array_view& array, size_t member, int index, std::vector<pybind11::object>& keep);
  bool read_state(operand& part, size_t member, int index, std::vector<pybind11::object>& keep);
  bool read_cell(scalar_ref& cell, size_t member, int index, std::vector<pybind11::object>& keep);
  // Calls visit(part, member) for each array of state, and visit(cell, member) for each number.
  template <class Self, class VisitArray, class VisitNumber>
  static void for_each_member(Self& self, const VisitArray& visit_array, const VisitNumber& visit_number);
  array_role role(const char* what, int index) const { return {what, index, where}; }
  std::string state_text(size_t member, int index) const;
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
