#include "slot.h"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace gradstep {

namespace {

bool unchanged(const array_view& now, const array_view& before) {
  return now.type == before.type && now.same_place_as(before);
}

}  // namespace

array_view read_parameter(py::handle parameter, const array_role& role, std::vector<py::object>& keep) {
  py::object owner;
  const array_view view = read_array(parameter, role, owner);
  if (owner) keep.push_back(std::move(owner));
  if (!view.writable) refuse_read_only(role.text());
  return view;
}

bool slot::read(py::handle parameter_now, py::handle gradient_now, int index, row_policy policy,
                std::vector<py::object>& keep) {
  if (parameter.ptr() != parameter_now.ptr()) {
    *this = slot(where);
    parameter = py::reinterpret_borrow<py::object>(parameter_now);
  }
  const array_view seen = read_parameter(parameter_now, role("parameter", index), keep);
  const array_role its_role = role("the gradient of parameter", index);
  array_view gradient;
  py::object owner;
  if (!read_directly(gradient_now, gradient)) {
    if (policy != row_policy::refuse)
      if (const auto rows_given = find_rows(gradient_now, seen, its_role)) {
        read_rows(seen, *rows_given, index, keep);
        follow_rows(policy == row_policy::lag, index);
        return true;
      }
    gradient = read_description(gradient_now, its_role, owner);
  }
  its_role.refuse_elsewhere(gradient);
  keep.push_back(py::reinterpret_borrow<py::object>(gradient_now));
  if (owner) keep.push_back(std::move(owner));
  if (!gradient_now.is(gradient_seen) || gradient.data != task.gradient.data)
    refuse_negated(gradient_now, its_role);
  gradient_seen = gradient_now;
  follow_rows(false, index);
  return read_dense(seen, gradient, index);
}

bool slot::read_dense(const array_view& seen, const array_view& gradient, int index) {
  const bool moved = lies_elsewhere(seen, 0);
  const bool new_gradient = moved || !unchanged(gradient, gradient_view);
  if (new_gradient) require_shape(gradient, seen, "the gradient of parameter " + std::to_string(index));
  if (moved) {
    lay_out(seen, 0, index);
    task.size = seen.size();
  }
  if (new_gradient) {
    task.gradient = operand(gradient, order);
    gradient_view = gradient;
    gradient_moved = true;
  }
  gradient_moved |= moved || gradient.data != task.gradient.data;
  task.gradient.data = gradient.data;
  gradient_view.data = gradient.data;
  gradient_view.writable = gradient.writable;  // which no address tells
  return moved;
}

bool slot::lies_elsewhere(const array_view& seen, int rows_now) const {
  return is_reshaped(seen, rows_now) || seen.data != view.data;
}

bool slot::is_reshaped(const array_view& seen, int rows_now) const {
  return !laid_out || rows_now != row_dimensions || !unchanged(seen, view);
}

void slot::lay_out(const array_view& seen, int rows_now, int index) {
  inspect_tensor(parameter, role("parameter", index));
  const bool reshaped = is_reshaped(seen, rows_now);
  if (reshaped) refuse_lagging(index);
  laid_out = known_apart = false;
  view = seen;
  row_dimensions = rows_now;
  order = memory_order(seen, row_dimensions);
  task.parameter = visited_part(seen);
  task.type = arithmetic_of(seen.type);
  if (reshaped) lay_out_states(index);
  laid_out = true;
}

operand slot::visited_part(const array_view& array) const {
  return row_dimensions ? operand(array, row_dimensions, order, &rows.visited) : operand(array, order);
}

void slot::bind(py::dict new_state, const state_names& of, bool is_fresh, int index) {
  refuse_lagging(index);
  state = std::move(new_state);
  task.state_count = -1;  // it holds none until all are found good
  known_apart = false;
  names.clear();
  members.clear();
  cells.clear();
  fresh = is_fresh;
  timed_by_device = false;
  const auto take = [&](const std::string& name) {
    if (name.empty()) return;
    names.push_back(py::reinterpret_steal<py::object>(PyUnicode_InternFromString(name.c_str())));
    members.push_back(state[names.back()]);
  };
  for (const std::string& name : of.arrays) take(name);
  take(of.average);
  take(of.copy);
  for (const std::string& name : of.numbers) {
    take(name);
    cells.push_back(read_number(members.size() - 1, index));
  }
  take(of.average_product);
  average_product = of.average_product.empty() ? number_cell{} : read_number(members.size() - 1, index);
  task.has_average = !of.average.empty();
  task.has_copy = !of.copy.empty();
  task.state_count = int(of.arrays.size());
  states_known = true;
  try {
    lay_out_states(index);
  } catch (...) {
    task.state_count = -1;
    throw;
  }
}

number_cell slot::read_number(size_t member, int index) const {
  py::object owner;
  const array_view number = read_array(members[member], role("the state of parameter", index), owner);
  return read_cell(number, "the state '" + py::str(names[member]).cast<std::string>() + "' of parameter " +
                               std::to_string(index));
}

void slot::lay_out_states(int index) {
  if (task.state_count < 0 || !states_known) return;
  size_t member = 0;
  for (int k = 0; k < task.state_count; ++k) task.states[k] = lay_out_state(member++, index);
  if (task.has_average) task.average = lay_out_state(member++, index);
  if (task.has_copy) task.copy = lay_out_state(member++, index);
}

operand slot::lay_out_state(size_t member, int index) const {
  py::object owner;
  const array_view array = read_array(members[member], role("a state of parameter", index), owner);
  const std::string what =
      "the state '" + py::str(names[member]).cast<std::string>() + "' of parameter " + std::to_string(index);
  require_shape(array, view, what);
  if (!array.writable) refuse_read_only(what);
  return visited_part(array);
}

bool slot::holds_its_states(int count, const group_settings& settings) {
  if (!states_known || task.state_count != count) return false;
  if (task.has_average != settings.around.averages || task.has_copy != settings.around.copies) return false;
  if ((average_product.data != nullptr) != settings.around.corrects_average) return false;
  if (values_seen.match(state)) return true;
  for (size_t k = 0; k < names.size(); ++k)
    if (PyDict_GetItem(state.ptr(), names[k].ptr()) != members[k].ptr()) return false;
  values_seen.remember(state);
  return true;
}

void slot::advance(const clock& c) {
  t = c.t;
  fresh = false;
  measured[0] = measured[1] = 0;
  time().set(c);
  if (task.history) {
    history.steps.push_back(*task.step);
    note_made();
  }
}

}  // namespace gradstep
