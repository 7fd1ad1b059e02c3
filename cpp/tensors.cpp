#include "tensors.h"

#include "attribute.h"
#include "dispatch.h"
#include "measuring.h"

namespace py = pybind11;

namespace gradstep {

namespace {

attribute grad_attribute() {
  static const py::handle name = PyUnicode_InternFromString("grad");
  return attribute(name);
}

py::object listed(const py::object& gradients, int index) {
  return py::reinterpret_borrow<py::object>(PyList_GetItem(gradients.ptr(), index));
}

void refuse_cautious_beside(const rule_entry& rule) {
  if (rule.writes_parameter)
    throw py::value_error("cautious decay looks at the update's direction, and the rule '" +
                          std::string(rule.name) + "' has none: pass cautious=False");
}

}  // namespace

void tensors::bind(int index, py::dict state, const state_names& names, bool fresh) {
  const step_guard guard(stepping_);
  slot& tensor = slots_.at(size_t(index));
  bound_ = true;
  note_moved(tensor);
  tensor.bind(std::move(state), names, fresh, index);
}

py::list tensors::read_all(const py::list& parameters, const py::object& gradients, const py::object& states,
                           const std::vector<group_settings>& groups, std::vector<py::object>& keep) {
  refuse_unlike_groups(groups);
  if (!bound_ && !states_seen_.match(states))
    for (slot& each : slots_) each.forget_states();
  keep.reserve(slots_.size());
  const py::list unbound = read_groups(parameters, gradients, groups, keep);
  sharing_.refuse(slots_, active_, groups);
  return unbound;
}

py::list tensors::read_groups(const py::list& parameters, const py::object& gradients,
                              const std::vector<group_settings>& groups, std::vector<py::object>& keep) {
  py::list unbound;
  attribute grad = grad_attribute();
  int index = 0;
  active_.clear();
  tasks_.clear();
  for (size_t group = 0; group < groups.size(); ++group) {
    const rule_entry& rule = active_target().rules[groups[group].rule];
    if (groups[group].around.cautious) refuse_cautious_beside(rule);
    for (const py::handle parameter : py::reinterpret_borrow<py::list>(parameters[group])) {
      if (size_t(index) == slots_.size()) slots_.emplace_back(where_);
      const py::object gradient = gradients.is_none() ? grad.of(parameter) : listed(gradients, index);
      if (!gradient.is_none()) {
        slot& tensor = slots_[size_t(index)];
        // Remembered until the next `settle`: a later refusal in this step must not hide it from the next
        // one.
        if (tensor.read(parameter, gradient, index, groups[group].rows, keep)) note_moved(tensor);
        if (tensor.row_dimensions) tensor.refuse_beside_rows(groups[group], index);
        if (!tensor.holds_its_states(rule.states, groups[group])) unbound.append(index);
        active_.add(index, int(group), tensor.moved_at);
        tasks_.push_back(&tensor.task);
      }
      ++index;
    }
  }
  slots_.resize(size_t(index));
  return unbound;
}

void tensors::note_moved(slot& tensor) {
  moved_ = true;
  tensor.moved_at = ++moves_;
}

void tensors::settle() {
  if (!changed()) return;
  moved_ = false;
  settled_ = active_.indices;
  parameters_ = py::list();
  for (const int index : active_.indices) parameters_.append(slots_[size_t(index)].parameter);
}

void tensors::remember_states(const py::object& states) {
  if (bound_) states_seen_.remember(states);
  bound_ = false;
}

void tensors::note_written(const std::vector<group_settings>& groups, bool updated) {
  written_ = py::list();
  for (const int index : zeroed(groups)) written_.append(slots_[size_t(index)].gradient_seen);
  if (updated) written_ = written_.empty() ? parameters_ : py::list(written_ + parameters_);
}

std::vector<int> tensors::zeroed(const std::vector<group_settings>& groups) const {
  std::vector<int> found;
  for (size_t i = 0; i < active_.indices.size(); ++i)
    if (groups[size_t(active_.groups[i])].around.zero_gradient) found.push_back(active_.indices[i]);
  return found;
}

int tensors::traverse(visitproc visit, void* arg) const {
  Py_VISIT(parameters_.ptr());
  Py_VISIT(written_.ptr());
  for (const slot& each : slots_) {
    Py_VISIT(each.parameter.ptr());
    Py_VISIT(each.state.ptr());
    for (const py::object& member : each.members) Py_VISIT(member.ptr());
  }
  return 0;
}

void tensors::clear() {
  slots_.clear();
  active_.clear();
  tasks_.clear();
  parameters_ = py::list();
  written_ = py::list();
}

int tensors::gathered() const {
  int count = 0;
  for (const tensor_task* task : tasks_) {
    bool direct = task->parameter.direct && task->gradient.direct;
    for (int k = 0; k < task->state_count; ++k) direct &= task->states[k].direct;
    count += !direct;
  }
  return count;
}

}  // namespace gradstep
