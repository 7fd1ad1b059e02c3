// The places of a tensor's arrays, and the task of a step that follows from them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "arrays/layout.h"
#include "arrays/rows.h"
#include "arrays/view.h"
#include "host/task.h"

namespace gradstep {

// The arrays of a state: the rule's, `of_rule` of them in the order of its arguments, then the average and
// the copy of the parameter. Below 0 for a tensor that has no state yet.
struct state_arrays {
  int of_rule = -1;
  bool has_average = false, has_copy = false;

  bool operator==(const state_arrays&) const = default;
};

// Invariant: while `is_laid_out`, the operands of the task describe the arrays that were given last, in the
// memory order of the parameter. Giving an array at another place ends that until `finish`, so an exception
// in between leaves no task that could be run.
class tensor_layout {
 public:
  tensor_task task;

  bool is_laid_out() const { return laid_out_; }
  const array_view& parameter() const { return parameter_; }
  const array_view& gradient() const { return gradient_; }  // of a sparse one, its rows' values
  int row_dimensions() const { return row_dimensions_; }    // of a sparse gradient; 0 for a dense one
  int64_t row_count() const;                                // of the parameter, counted by these
  const row_order& rows() const { return rows_; }

  // Whether a parameter seen there has another form; whether the states must be laid out again with it,
  // because of that or of an exception; whether the parameter must be laid out again.
  bool differs(const array_view& seen, int row_dimensions) const;
  bool is_reshaped(const array_view& seen, int row_dimensions) const;
  bool lies_elsewhere(const array_view& seen, int row_dimensions) const;

  // Sets how the rule sees the tensor: as a matrix, visited row by row, or, for null, as a run of elements in
  // the order of memory.
  void see_as(const matrix_form* form) {
    if (form != form_) change_form(form);
  }

  void lay_out(const array_view& parameter, int row_dimensions);
  void expect(const state_arrays& arrays);
  void forget_states() { task.state_count = -1; }
  bool has(const state_arrays& arrays) const;
  // Sets a member of the state by its number, counted over the rule's arrays, the average, the copy.
  void set_state(size_t member, const array_view& array);
  size_t state_count() const;  // of these
  // Stores the rule's state of this number in a format of two planes; `set_state` gives its numbers.
  void set_format(int state, dtype type) { state_formats_[state] = type; }
  std::optional<dtype> format_of_state(size_t member) const;
  void set_second_plane(int state, char* data);
  bool is_like_parameter(size_t member) const { return !is_own(member); }
  // The view whose shape the rule's state of this number must have.
  array_view expected_state(size_t member) const;
  const operand& state(int member) const {
    return is_own(size_t(member)) ? matrix_->own[member] : task.states[member];
  }
  // The part of an array of the parameter's shape that a step visits.
  operand visited_part(const array_view& array) const;
  void mark_moved();  // an array that is no operand: a number of the state
  void finish() { laid_out_ = true; }

  // A dense gradient; `parameter_moved` says that it must be laid out with the parameter.
  bool must_lay_out_gradient(const array_view& gradient, bool parameter_moved) const;
  void set_gradient(const array_view& gradient, bool parameter_moved);
  // A sparse one: values for these rows, which have been compared with the parameter.
  void set_rows(const array_view& values, row_order rows);
  bool fits(const array_view& values, const row_order& rows) const;
  // Visits these rows without a gradient.
  void visit_rows(std::vector<int64_t> numbers);

  // Known facts about shared memory (plan/memory.h).
  bool known_disjoint = false;  // all of its arrays but the gradient, where they lie now
  bool gradient_moved = true;   // since the gradient was found to share no memory

 private:
  void change_form(const matrix_form* form);
  bool is_own(size_t member) const {
    return matrix_ && member < size_t(task.state_count) && matrix_->is_own(int(member));
  }
  void visit_given_rows();

  array_view parameter_{}, gradient_{};
  visiting_order order_;
  int row_dimensions_ = 0;
  row_order rows_;
  std::optional<dtype> state_formats_[state_limit];  // of two planes
  char* second_planes_[state_limit] = {};
  const matrix_form* form_ = nullptr;
  std::unique_ptr<matrix_task> matrix_;
  bool laid_out_ = false;
};

}  // namespace gradstep
