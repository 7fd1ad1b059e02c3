#include "call_arrays.h"

#include "layout.h"
#include "sharing.h"

namespace py = pybind11;

namespace gradstep {

namespace {

void require_writable(const array_view& view, const array_role& role) {
  if (!view.writable) refuse_read_only(role.text());
}

}  // namespace

void call_arrays::read_gradients(const py::list& gradients) {
  int index = 0;
  for (const py::handle each : gradients) {
    const array_role role = {"gradient", index++};
    if (each.is_none()) continue;
    const array_view& gradient = read(each, role);
    add(gradient).gradient = operand(gradient, memory_order(gradient));
  }
}

void call_arrays::read_written_gradients(const py::list& gradients) {
  read_gradients(gradients);
  for (size_t i = 0; i < views_.size(); ++i) require_writable(views_[i], roles_[i]);
  refuse_overlap(views_, roles_);
}

void call_arrays::read_pairs(operand tensor_task::* part, const char* what, const py::list& written,
                             const py::list& parameters) {
  for (size_t i = 0; i < written.size(); ++i) {
    const array_role role = {what, int(i)};
    const array_view& mine = read(written[i], role);
    const array_view& parameter = read(parameters[i], {"parameter", int(i)});
    require_writable(mine, role);
    require_shape(mine, parameter, role.text());
    const visiting_order order = memory_order(parameter);
    tensor_task& task = add(parameter);
    task.parameter = operand(parameter, order);
    task.*part = operand(mine, order);
    task.has_average |= part == &tensor_task::average;
    task.has_copy |= part == &tensor_task::copy;
  }
  refuse_overlap(views_, roles_);
}

number_cell call_arrays::read_number(py::handle number, const char* what) {
  return read_cell(read(number, {what}), what);
}

const array_view& call_arrays::read(py::handle array, array_role role) {
  py::object owner;
  role.where = where_;
  views_.push_back(read_anywhere(array, role, owner));
  roles_.push_back(role);
  const array_view& view = views_.back();
  if (view.where != where_)
    throw py::type_error(role.text() + " is on " + view.where.text() + ", and the first array on " +
                         where_.text() + ": make a call for each place");
  refuse_negated(array, role);
  arrays_.push_back(py::reinterpret_borrow<py::object>(array));
  if (owner) owners_.push_back(std::move(owner));
  return view;
}

tensor_task& call_arrays::add(const array_view& visited) {
  tensor_task& task = tasks_.emplace_back();
  task.type = arithmetic_of(visited.type);
  task.size = visited.size();
  return task;
}

}  // namespace gradstep
