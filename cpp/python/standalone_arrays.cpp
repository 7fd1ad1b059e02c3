#include "python/standalone_arrays.h"

#include "arrays/layout.h"
#include "python/autograd.h"
#include "python/refusals.h"

namespace py = pybind11;

namespace gradstep {

void standalone_arrays::read_gradients(const py::list& gradients) { take_gradients(gradients, false); }

void standalone_arrays::finish() const {
  refuse_overlap(views_, roles_, written_);
  if (foreign_calls() == calls_before_ && !torch_functions_are_overridden()) return;
  for (size_t i = 0; i < arrays_.size(); ++i)
    if (!lies_as_read(arrays_[i], views_[i])) refuse_moving();
}

void standalone_arrays::take_gradients(const py::list& gradients, bool written) {
  const no_garbage_collection pause;
  int index = 0;
  for (const py::handle each : gradients) {
    const array_role role = {"gradient", index++};
    if (each.is_none()) continue;
    const array_view& gradient = read(each, role, written);
    add(gradient).gradient = operand(gradient, memory_order(gradient));
  }
  finish();
}

void standalone_arrays::read_written_gradients(const py::list& gradients) { take_gradients(gradients, true); }

void standalone_arrays::read_pairs(operand tensor_task::* part, const char* what, const py::list& written,
                                   const py::list& parameters) {
  const no_garbage_collection pause;
  for (size_t i = 0; i < written.size(); ++i) {
    const array_role role = {what, int(i)};
    const array_view& mine = read(written[i], role, true);
    const array_view& parameter = read(parameters[i], {"parameter", int(i)}, false);
    require_shape(mine, parameter, role.text());
    const visiting_order order = memory_order(parameter);
    tensor_task& task = add(parameter);
    task.parameter = operand(parameter, order);
    task.*part = operand(mine, order);
    task.has_average |= part == &tensor_task::average;
    task.has_copy |= part == &tensor_task::copy;
  }
  finish();
}

scalar_ref standalone_arrays::read_number(py::handle number, const char* what) {
  const no_garbage_collection pause;
  const scalar_ref found = read_scalar(read(number, {what}, true), what);
  finish();
  return found;
}

void standalone_arrays::tell_autograd() const {
  py::list written;
  for (size_t i = 0; i < arrays_.size(); ++i)
    if (written_[i]) written.append(arrays_[i]);
  gradstep::tell_autograd(written);
}

const array_view& standalone_arrays::read(py::handle array, array_role role, bool written) {
  py::object owner;
  role.where = where_;
  views_.push_back(read_anywhere(array, role, owner));
  roles_.push_back(role);
  written_.push_back(written);
  const array_view& view = views_.back();
  if (view.where != where_)
    throw py::type_error(role.text() + " is on " + view.where.text() + ", and the first array on " +
                         where_.text() + ": make a call for each place");
  inspect_tensor(array, view, role);
  if (written && !view.writable) refuse_read_only(role.text());
  arrays_.push_back(py::reinterpret_borrow<py::object>(array));
  if (owner) owners_.push_back(std::move(owner));
  return view;
}

tensor_task& standalone_arrays::add(const array_view& visited) {
  tensor_task& task = tasks_.emplace_back();
  task.type = arithmetic_of(visited.type);
  task.size = visited.size();
  return task;
}

}  // namespace gradstep
