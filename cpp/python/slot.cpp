#include "python/slot.h"

#include <algorithm>
#include <cmath>

namespace py = pybind11;

namespace gradstep {

namespace {

constexpr double largest_count = 9007199254740992;  // 2^53: every whole number up to it is a double

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

void slot::take(py::handle parameter_now) {
  if (parameter.is(parameter_now)) return;
  *this = slot(where, on_host);
  parameter = py::reinterpret_borrow<py::object>(parameter_now);
}

bool slot::read(py::handle gradient_now, int index, int state_count, const group_settings& settings,
                std::vector<py::object>& keep) {
  bound = suits(state_count, settings) && holds_its_members();
  const array_role its_role = role("the gradient of parameter", index);
  const bool comes_again = gradient_now.is(gradient_seen);
  const bool stays = laid_out && !row_dimensions && parameter_known.is_unchanged(parameter);
  if (stays && comes_again && gradient_known.is_unchanged(gradient_now)) {
    follow_rows(false, index);
    return read_states(index, keep);
  }
  array_view moved_there;
  if (!stays) moved_there = look_at_parameter(index, keep);
  const array_view& seen = stays ? view : moved_there;
  array_view gradient;
  py::object owner;
  if (!read_directly(gradient_now, gradient)) {
    if (on_host && settings.rows != row_policy::refuse)
      if (const auto rows_given = find_rows(gradient_now, seen, its_role)) {
        read_rows(seen, *rows_given, index, keep);
        follow_rows(settings.rows == row_policy::lag, index);
        return true;
      }
    gradient = read_description(gradient_now, its_role, owner);
  }
  refuse_elsewhere(gradient, its_role);
  if (owner) keep.push_back(std::move(owner));
  inspect_tensor(gradient_now, gradient, its_role);
  gradient_seen = gradient_now;
  follow_rows(false, index);
  const bool moved = read_dense(seen, gradient, index, keep);
  if (comes_again)  // a new one seldom does
    gradient_known.remember(gradient_now, gradient);
  else
    gradient_known.forget();
  return moved;
}

array_view slot::look_at_parameter(int index, std::vector<py::object>& keep) const {
  const array_role its_role = role("parameter", index);
  const array_view found = read_parameter(parameter, its_role, keep);
  inspect_tensor(parameter, found, its_role);
  return found;
}

bool slot::read_dense(const array_view& seen, const array_view& gradient, int index,
                      std::vector<py::object>& keep) {
  bool moved = lies_elsewhere(seen, 0);
  const bool new_gradient = moved || !unchanged(gradient, gradient_view);
  if (new_gradient) require_shape(gradient, seen, "the gradient of parameter " + std::to_string(index));
  if (moved) lay_out(seen, 0, index);
  task.size = seen.size();
  moved |= read_states(index, keep);
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

bool slot::is_unmoved(py::handle gradient_now) {
  bool unmoved = !parameter_known.was_moved(parameter);
  if (!gradient_now.is_none())
    unmoved &= lies_as_read(row_dimensions ? row_values : gradient_now, gradient_view);
  for (size_t member = 0; bound && member < members.size(); ++member)
    unmoved &= !known[member].was_moved(members[member]);
  return unmoved && (!bound || holds_its_members());
}

bool slot::lies_elsewhere(const array_view& seen, int rows_now) const {
  return is_reshaped(seen, rows_now) || seen.data != view.data;
}

bool slot::is_reshaped(const array_view& seen, int rows_now) const {
  return !laid_out || rows_now != row_dimensions || !unchanged(seen, view);
}

// The states are read next.
void slot::lay_out(const array_view& seen, int rows_now, int index) {
  if (is_reshaped(seen, rows_now)) {
    const bool differs =
        rows_now != row_dimensions || !unchanged(seen, view);  // or only a refusal came between
    if (differs) refuse_lagging(index);
    for (sighting& each : known) each = {};
  }
  laid_out = known_apart = false;
  view = seen;
  parameter_known.remember(parameter, seen);
  row_dimensions = rows_now;
  order = memory_order(seen, row_dimensions);
  task.parameter = visited_part(seen);
  task.type = arithmetic_of(seen.type);
}

operand slot::visited_part(const array_view& array) const {
  return row_dimensions ? operand(array, row_dimensions, order, &rows.visited) : operand(array, order);
}

void slot::bind(const state_binding& given) {
  refuse_lagging(given.index);
  drop_added();
  const state_names& of = given.names;
  known_apart = false;
  names.clear();
  members.clear();
  cells.clear();
  const auto take = [&](const std::string& name) {
    if (name.empty()) return;
    names.push_back(py::reinterpret_steal<py::object>(PyUnicode_InternFromString(name.c_str())));
    members.push_back(given.added.contains(name) ? given.added[names.back()] : given.state[names.back()]);
  };
  for (const std::string& name : of.arrays) take(name);
  take(of.average);
  take(of.copy);
  for (const std::string& name : of.numbers) take(name);
  take(of.average_product);
  cells.resize(of.numbers.size());
  corrects_average = !of.average_product.empty();
  task.has_average = !of.average.empty();
  task.has_copy = !of.copy.empty();
  task.state_count = int(of.arrays.size());
  known.assign(members.size(), {});
  values_seen.forget();  // of the members before: one that comes back is none of these
  state = given.state;
  if (!given.added.empty()) added = given.added;
  fresh = given.fresh;
  timed_by_device = false;
  states_known = true;
}

void slot::drop_added() {
  if (!added) return;
  added = {};
  task.state_count = -1;
}

template <class Self, class VisitArray, class VisitNumber>
void slot::for_each_member(Self& self, const VisitArray& visit_array, const VisitNumber& visit_number) {
  size_t member = 0;
  for (int k = 0; k < self.task.state_count; ++k) visit_array(self.task.states[k], member++);
  if (self.task.has_average) visit_array(self.task.average, member++);
  if (self.task.has_copy) visit_array(self.task.copy, member++);
  for (auto& cell : self.cells) visit_number(cell, member++);
  if (self.corrects_average) visit_number(self.average_product, member++);
}

bool slot::read_states(int index, std::vector<py::object>& keep) {
  bool moved = false;
  if (bound) {
    for_each_member(
        *this, [&](operand& part, size_t member) { moved |= read_state(part, member, index, keep); },
        [&](scalar_ref& cell, size_t member) { moved |= read_cell(cell, member, index, keep); });
  }
  laid_out = true;
  return moved;
}

std::string slot::state_text(size_t member, int index) const {
  return "the state '" + py::str(names[member]).cast<std::string>() + "' of parameter " +
         std::to_string(index);
}

bool slot::read_member(array_view& array, size_t member, int index, std::vector<py::object>& keep) {
  if (known[member].is_unchanged(members[member])) return false;
  const array_role its_role = role("a state of parameter", index);
  py::object owner;
  array = read_array(members[member], its_role, owner);
  if (owner) keep.push_back(std::move(owner));
  laid_out = known_apart = false;
  inspect_tensor(members[member], array, its_role);
  return true;
}

bool slot::read_state(operand& part, size_t member, int index, std::vector<py::object>& keep) {
  array_view array;
  if (!read_member(array, member, index, keep)) return false;
  const std::string what = state_text(member, index);
  require_shape(array, view, what);
  if (!array.writable) refuse_read_only(what);
  part = visited_part(array);
  known[member].remember(members[member], array);
  return true;
}

bool slot::read_cell(scalar_ref& cell, size_t member, int index, std::vector<py::object>& keep) {
  array_view array;
  if (!read_member(array, member, index, keep)) return false;
  cell = read_scalar(array, state_text(member, index));
  known[member].remember(members[member], array);
  return true;
}

void slot::refuse_wrong_count(int index) const {
  if (!on_host || !bound || cells.empty()) return;
  const double count = cells[0].get();
  if (count == double(t)) return;  // as it was left
  if (count >= 0 && count <= largest_count && count == std::floor(count)) return;
  const size_t member = members.size() - cells.size() - size_t(corrects_average);
  throw py::value_error(state_text(member, index) + " is " + py::str(py::float_(count)).cast<std::string>() +
                        ": it counts updates and must be a whole number from 0 on; load a state_dict that is "
                        "whole, or set it");
}

bool slot::suits(int state_count, const group_settings& settings) const {
  return states_known && task.state_count == state_count && task.has_average == settings.around.averages &&
         task.has_copy == settings.around.copies && corrects_average == settings.around.corrects_average;
}

bool slot::holds_its_members() {
  if (!added && values_seen.match(state)) return true;
  for (size_t k = 0; k < names.size(); ++k) {
    PyObject* const made = added ? PyDict_GetItem(added.ptr(), names[k].ptr()) : nullptr;
    if ((made ? made : PyDict_GetItem(state.ptr(), names[k].ptr())) != members[k].ptr()) return false;
  }
  if (!added) values_seen.remember(state);
  return true;
}

void slot::advance(const clock& c) {
  t = c.t;
  fresh = false;
  measured[0] = measured[1] = 0;
  time().set(c);
}

void slot::reserve_history() {
  if (task.history && history.steps.size() == history.steps.capacity())
    history.steps.reserve(2 * history.steps.size() + 1);
}

void slot::note_step() {
  if (!task.history) return;
  history.steps.push_back(*task.step);
  note_made();
}

}  // namespace gradstep
