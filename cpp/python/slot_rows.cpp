// The part of a slot that knows rows: sparse gradients, and rows that lag behind them.
#include "host/simd/dispatch.h"
#include "python/autograd.h"
#include "python/slot.h"

namespace py = pybind11;

namespace gradstep {

void slot::read_rows(const array_view& seen, const sparse_gradient& gradient, int index,
                     std::vector<py::object>& keep) {
  const array_role its_role = role("the gradient of parameter", index);
  py::object owner;
  const array_view values = read_array(gradient.values, its_role, owner);
  require_same_kind(values, seen, its_role.text());
  inspect_tensor(gradient.values, values, its_role);
  keep.push_back(gradient.values);
  if (owner) keep.push_back(std::move(owner));
  if (lies_elsewhere(seen, gradient.row_dimensions)) lay_out(seen, gradient.row_dimensions, index);
  read_states(index, keep);
  rows.sort(gradient.numbers);
  refuse_rows_beyond(values, index);
  visiting_order order_of_values;  // whose rows are counted by one dimension
  for (const int d : order) order_of_values.push_back(d - row_dimensions + 1);
  task.gradient = operand(values, 1, order_of_values, &rows.given);
  task.size = rows.visited.count() * task.gradient.row_elements;
  gradient_moved = true;
  gradient_seen = {};
  row_values = gradient.values;
  gradient_view = values;
}

// A sparse gradient may have changed since it was checked.
void slot::refuse_rows_beyond(const array_view& values, int index) const {
  const int64_t given = values.ndim > 0 ? values.dimensions[0].size : 0;
  bool fits = values.ndim == view.ndim - row_dimensions + 1 && given == int64_t(rows.given.numbers.size());
  for (int d = 1; fits && d < values.ndim; ++d)
    fits = values.dimensions[d].size == view.dimensions[d + row_dimensions - 1].size;
  int64_t count = 1;
  for (int d = 0; d < row_dimensions; ++d) count *= view.dimensions[d].size;
  const std::vector<int64_t>& visited = rows.visited.numbers;  // upwards
  fits &= visited.empty() || (visited.front() >= 0 && visited.back() < count);
  if (!fits)
    throw py::value_error(
        "the gradient of parameter " + std::to_string(index) +
        " has rows that do not fit it: its indices or values were changed in place after it "
        "was made, make a new one");
}

void slot::refuse_beside_rows(const group_settings& settings, int index) const {
  const auto refuse = [&](const char* reason) {
    throw py::value_error("the gradient of parameter " + std::to_string(index) + " is sparse: " + reason);
  };
  if (active_target().rules[settings.rule].bodies[0].measure)
    refuse(
        "its rule measures whole tensors, and can't tell what the rows that it leaves out add; pass "
        ".to_dense()");
  if (settings.around.zero_gradient)
    refuse("zero_grad=True would leave its rows in it, with zeros; pass zero_grad=False and set it to None");
  if (settings.rows == row_policy::lag) return;
  if (settings.weight_decay != 0)
    refuse("weight_decay would change the rows that it leaves out; pass weight_decay=0, or lazy_rows=True");
  if (settings.around.averages)
    refuse("ema would move the averages of the rows that it leaves out; pass ema=None, or lazy_rows=True");
}

void slot::follow_rows(bool lag, int index) {
  if (!lag) refuse_lagging(index);
  task.history = lag ? &history : nullptr;
  if (!lag) return;
  int64_t count = 1;
  for (int d = 0; d < row_dimensions; ++d) count *= view.dimensions[d].size;
  history.made.resize(size_t(count));
}

void slot::refuse_lagging(int index) const {
  if (lags())
    throw py::value_error("rows of parameter " + std::to_string(index) +
                          " lag behind its sparse gradients: call catch_up() before another kind of step");
}

void slot::visit_lagging(const py::object& numbers, int index, std::vector<py::object>& keep) {
  const bool stays = laid_out && parameter_known.is_unchanged(parameter);
  const array_view seen = stays ? view : look_at_parameter(index, keep);
  if (lies_elsewhere(seen, row_dimensions)) lay_out(seen, row_dimensions, index);
  bound = task.state_count >= 0;  // what lags is in these, even if they were replaced since
  read_states(index, keep);
  std::vector<int64_t> lagging;
  const auto take = [&](int64_t row) {
    if (history.is_behind(row)) lagging.push_back(row);
  };
  if (numbers.is_none() || row_dimensions > 1) {
    for (int64_t row = 0; row < int64_t(history.made.size()); ++row) take(row);
  } else {
    rows.sort(numbers.cast<row_numbers>());
    for (const int64_t row : rows.visited.numbers) take(row);
  }
  rows.visited = {std::move(lagging), {}};
  task.size = rows.visited.count() * task.parameter.row_elements;
  task.step = &history.steps.back();
}

void slot::note_made() {
  for (const int64_t row : rows.visited.numbers) history.made[size_t(row)] = int(history.steps.size());
}

void slot::forget_history() {
  history.steps.clear();
  history.made.assign(history.made.size(), 0);
}

}  // namespace gradstep
