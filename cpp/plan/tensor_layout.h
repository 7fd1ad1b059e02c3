// Where the arrays of a tensor lie, and the task of a step that follows from it.
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

// The arrays of a state: so many of the rule, in the order of its arguments, then the average and the copy of
// the parameter. Below 0 for a tensor that has no state yet.
struct state_arrays {
  int of_rule = -1;
  bool has_average = false, has_copy = false;

  bool operator==(const state_arrays&) const = default;
};

// Invariant: while `is_laid_out`, the operands of the task are those of the arrays that were given last, in
// the memory order of the parameter. Whoever gives an array that lies elsewhere ends that until `finish`, so
// that an exception on the way leaves no task that anybody would run.
class tensor_layout {
 public:
  tensor_task task;

  bool is_laid_out() const { return laid_out_; }
  const array_view& parameter() const { return parameter_; }
  const array_view& gradient() const { return gradient_; }  // of a sparse one, its rows' values
  int row_dimensions() const { return row_dimensions_; }    // of a sparse gradient; 0 for a dense one
  int64_t row_count() const;                                // of the parameter, counted by these
  const row_order& rows() const { return rows_; }

  // Whether a parameter that is seen there is of another form; whether the states must be laid out with it
  // anew, since it is or an exception came between; whether the parameter must.
  bool differs(const array_view& seen, int row_dimensions) const;
  bool is_reshaped(const array_view& seen, int row_dimensions) const;
  bool lies_elsewhere(const array_view& seen, int row_dimensions) const;

  // How the rule sees the tensor; null for one to which it is no matrix, which is visited in the order of
  // memory. A matrix is visited row by row.
  void see_as(const matrix_form* form) {
    if (form != form_) change_form(form);
  }

  void lay_out(const array_view& parameter, int row_dimensions);
  void expect(const state_arrays& arrays);
  void forget_states() { task.state_count = -1; }
  bool has(const state_arrays& arrays) const;
  // Gives the member of the state of this number: of the rule's arrays, the average, the copy.
  void set_state(size_t member, const array_view& array);
  size_t state_count() const;  // of these
  // Keeps the rule's state of this number in a format of two planes, whose numbers `set_state` gives.
  void set_format(int state, dtype type) { state_formats_[state] = type; }
  std::optional<dtype> format_of_state(size_t member) const;
  void set_second_plane(int state, char* data);
  bool is_like_parameter(size_t member) const { return !is_own(member); }
  // The view that the rule's state of this number must have the shape of, and where it lies itself.
  array_view expected_state(size_t member) const;
  const operand& state(int member) const {
    return is_own(size_t(member)) ? matrix_->own[member] : task.states[member];
  }
  // What a step visits of an array that has the parameter's shape.
  operand visited_part(const array_view& array) const;
  void mark_moved();  // an array that is no operand: a number of the state
  void finish() { laid_out_ = true; }

  // A dense gradient; `parameter_moved` says that it must be laid out with the parameter.
  bool must_lay_out_gradient(const array_view& gradient, bool parameter_moved) const;
  void set_gradient(const array_view& gradient, bool parameter_moved);
  // A sparse one: values for the rows that `rows` says, which have been compared with the parameter.
  void set_rows(const array_view& values, row_order rows);
  bool fits(const array_view& values, const row_order& rows) const;
  // Visits these rows without a gradient.
  void visit_rows(std::vector<int64_t> numbers);

  // What is remembered of memory that arrays share (plan/memory.h).
  bool known_disjoint = false;  // all of its arrays but the gradient, where they lie now
  bool gradient_moved = true;   // since the gradient was found apart

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
