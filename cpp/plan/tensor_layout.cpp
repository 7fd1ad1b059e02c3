#include "plan/tensor_layout.h"

#include <utility>

namespace gradstep {

namespace {

bool unchanged(const array_view& now, const array_view& before) {
  return now.type == before.type && now.same_place_as(before);
}

}  // namespace

int64_t tensor_layout::row_count() const {
  int64_t count = 1;
  for (int d = 0; d < row_dimensions_; ++d) count *= parameter_.dimensions[d].size;
  return count;
}

bool tensor_layout::differs(const array_view& seen, int row_dimensions) const {
  return row_dimensions != row_dimensions_ || !unchanged(seen, parameter_);
}

bool tensor_layout::is_reshaped(const array_view& seen, int row_dimensions) const {
  return !laid_out_ || differs(seen, row_dimensions);
}

bool tensor_layout::lies_elsewhere(const array_view& seen, int row_dimensions) const {
  return is_reshaped(seen, row_dimensions) || seen.data != parameter_.data;
}

void tensor_layout::change_form(const matrix_form* form) {
  mark_moved();
  form_ = form;
  matrix_ = form ? std::make_unique<matrix_task>() : nullptr;
  if (form) matrix_->form = *form;
  task.matrix = matrix_.get();
}

void tensor_layout::lay_out(const array_view& parameter, int row_dimensions) {
  mark_moved();
  parameter_ = parameter;
  row_dimensions_ = row_dimensions;
  const bool by_rows = matrix_ && !row_dimensions;
  order_ = by_rows ? index_order(parameter) : memory_order(parameter, row_dimensions);
  if (matrix_) {
    const auto size_from_last = [&](int d) {
      return d < parameter.ndim ? parameter.dimensions[parameter.ndim - 1 - d].size : 1;
    };
    matrix_->sizes = {1, size_from_last(1), size_from_last(0)};
    for (int d = 2; d < parameter.ndim; ++d) matrix_->sizes.matrices *= size_from_last(d);
  }
  task.parameter = visited_part(parameter);
  task.type = arithmetic_of(parameter.type);
}

operand tensor_layout::visited_part(const array_view& array) const {
  return row_dimensions_ ? operand(array, row_dimensions_, order_, &rows_.visited) : operand(array, order_);
}

void tensor_layout::expect(const state_arrays& arrays) {
  known_disjoint = false;
  task.state_count = arrays.of_rule;
  task.has_average = arrays.has_average;
  task.has_copy = arrays.has_copy;
  for (auto& format : state_formats_) format.reset();
}

bool tensor_layout::has(const state_arrays& arrays) const {
  return state_arrays{task.state_count, task.has_average, task.has_copy} == arrays;
}

size_t tensor_layout::state_count() const {
  return size_t(task.state_count + task.has_average + task.has_copy);
}

array_view tensor_layout::expected_state(size_t member) const {
  array_view expected = parameter_;
  if (!is_own(member)) return expected;
  const state_shape shape = matrix_->form.shapes[member];
  for (int d = 0; d < expected.ndim; ++d) {
    const bool is_column = d == expected.ndim - 1, is_row = d == expected.ndim - 2;
    const bool stays = is_column ? shape == state_shape::per_column
                       : is_row  ? shape == state_shape::per_row
                                 : shape != state_shape::per_tensor;
    if (!stays) expected.dimensions[d].size = 1;
  }
  return expected;
}

void tensor_layout::set_state(size_t member, const array_view& array) {
  mark_moved();
  if (is_own(member)) {
    matrix_->own[member] = operand(array, index_order(array));
    task.states[member] = matrix_->repeated(int(member), nullptr, task.type);
    return;
  }
  const size_t average = size_t(task.state_count);
  operand& part = member < average                        ? task.states[member]
                  : task.has_average && member == average ? task.average
                                                          : task.copy;
  part = visited_part(array);
  if (const auto format = format_of_state(member)) {
    part.type = *format;
    part.second = second_planes_[member];
  }
}

std::optional<dtype> tensor_layout::format_of_state(size_t member) const {
  return member < size_t(task.state_count) ? state_formats_[member] : std::nullopt;
}

void tensor_layout::set_second_plane(int state, char* data) {
  mark_moved();
  task.states[state].second = second_planes_[state] = data;
}

void tensor_layout::mark_moved() { laid_out_ = known_disjoint = false; }

bool tensor_layout::must_lay_out_gradient(const array_view& gradient, bool parameter_moved) const {
  return parameter_moved || !unchanged(gradient, gradient_);
}

void tensor_layout::set_gradient(const array_view& gradient, bool parameter_moved) {
  if (must_lay_out_gradient(gradient, parameter_moved)) {
    task.gradient = operand(gradient, order_);
    gradient_ = gradient;
    gradient_moved = true;
  }
  gradient_moved |= gradient.data != task.gradient.data;
  task.size = parameter_.size();
  task.gradient.data = gradient.data;
  gradient_.data = gradient.data;
  gradient_.writable = gradient.writable;  // which no address tells
}

bool tensor_layout::fits(const array_view& values, const row_order& rows) const {
  const int64_t given = values.ndim > 0 ? values.dimensions[0].size : 0;
  bool fits =
      values.ndim == parameter_.ndim - row_dimensions_ + 1 && given == int64_t(rows.given.numbers.size());
  for (int d = 1; fits && d < values.ndim; ++d)
    fits = values.dimensions[d].size == parameter_.dimensions[d + row_dimensions_ - 1].size;
  const std::vector<int64_t>& visited = rows.visited.numbers;  // upwards
  return fits && (visited.empty() || (visited.front() >= 0 && visited.back() < row_count()));
}

void tensor_layout::set_rows(const array_view& values, row_order rows) {
  rows_ = std::move(rows);
  visiting_order order_of_values;  // whose rows are counted by one dimension
  for (const int d : order_) order_of_values.push_back(d - row_dimensions_ + 1);
  task.gradient = operand(values, 1, order_of_values, &rows_.given);
  gradient_moved = true;
  gradient_ = values;
  visit_given_rows();
}

void tensor_layout::visit_rows(std::vector<int64_t> numbers) {
  rows_.visited = {std::move(numbers), {}};
  visit_given_rows();
}

void tensor_layout::visit_given_rows() { task.size = rows_.visited.count() * task.parameter.row_elements; }

}  // namespace gradstep
