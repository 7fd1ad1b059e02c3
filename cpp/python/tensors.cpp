#include "python/tensors.h"

#include <algorithm>

#include "host/simd/dispatch.h"
#include "python/attribute.h"
#include "python/autograd.h"
#include "python/measuring.h"

namespace py = pybind11;

namespace gradstep {

namespace {

attribute grad_attribute() {
  static const py::handle name = PyUnicode_InternFromString("grad");
  return attribute(name);
}

// A sequence that nobody else can change.
py::tuple owned(py::handle sequence) {
  const auto made = py::reinterpret_steal<py::tuple>(PySequence_Tuple(sequence.ptr()));
  if (!made) throw py::error_already_set();
  return made;
}

[[noreturn]] void refuse_count(size_t gradients, size_t parameters) {
  throw py::value_error("the step got " + std::to_string(gradients) + " gradients, but the groups hold " +
                        std::to_string(parameters) +
                        " parameters: a group's list of parameters was changed in place; add parameters with "
                        "add_param_group");
}

void refuse_cautious_beside(const rule_entry& rule) {
  if (rule.writes_parameter)
    throw py::value_error("cautious decay looks at the update's direction, and the rule '" +
                          std::string(rule.name) + "' has none: pass cautious=False");
}

}  // namespace

py::list tensors::read_all(const step_arguments& given, std::vector<py::object>& keep) {
  constexpr int most_readings = 4;
  refuse_unlike_groups(given.groups);
  take_objects(given);
  const no_garbage_collection pause;
  keep.reserve(given_.size());
  for (int reading = 0; reading < most_readings; ++reading) {
    const uint64_t calls_before = foreign_calls();
    if (torch_functions_are_overridden()) count_foreign_call();
    if (!states_seen_.match(given.states)) {
      for (slot& each : slots_) each.forget_states();
      states_seen_.remember(given.states);
    }
    py::list unbound = read_tensors(given, keep);
    if (!unbound.empty()) return unbound;  // what they were bound to before is not what they will step
    sharing_.refuse(slots_, active_, given.groups);
    if (foreign_calls() != calls_before && !(states_seen_.match(given.states) && are_unmoved())) continue;
    for (const int index : active_.indices) slots_[size_t(index)].refuse_wrong_count(index);
    return unbound;
  }
  refuse_moving();
}

// Holds all parameters and gradients before any of them is read: to get one may run code that moves another.
void tensors::take_objects(const step_arguments& given) {
  given_.clear();
  std::vector<stepped> taken;
  const py::tuple by_group = owned(given.parameters);
  if (by_group.size() != given.groups.size())
    throw py::value_error("the step got the parameters of " + std::to_string(by_group.size()) +
                          " groups and " + std::to_string(given.groups.size()) +
                          " settings: they must be as many");
  taken.reserve(slots_.size());
  for (size_t group = 0; group < by_group.size(); ++group)
    for (const py::handle parameter : owned(by_group[group]))
      taken.push_back({int(taken.size()), int(group), py::reinterpret_borrow<py::object>(parameter), {}});
  if (given.gradients.is_none()) {
    attribute grad = grad_attribute();
    for (stepped& each : taken) each.gradient = grad.of(each.parameter);
  } else {
    const py::tuple gradients = owned(given.gradients);
    if (gradients.size() != taken.size()) refuse_count(gradients.size(), taken.size());
    for (size_t i = 0; i < taken.size(); ++i) taken[i].gradient = gradients[i];
  }
  given_ = std::move(taken);
}

py::list tensors::read_tensors(const step_arguments& given, std::vector<py::object>& keep) {
  py::list unbound;
  active_.clear();
  tasks_.clear();
  while (slots_.size() < given_.size()) slots_.emplace_back(where_, on_host_);
  for (const stepped& each : given_)
    if (!each.gradient.is_none()) slots_[size_t(each.index)].take(each.parameter);
  for (const group_settings& group : given.groups)
    if (group.around.cautious) refuse_cautious_beside(active_target().rules[group.rule]);
  for (const state_binding& each : given.bindings) {
    slot& tensor = slots_.at(size_t(each.index));
    if (tensor.added.ptr() != each.added.ptr()) tensor.bind(each);
  }
  for (const stepped& each : given_) {
    if (each.gradient.is_none()) continue;
    const group_settings& settings = given.groups[size_t(each.group)];
    slot& tensor = slots_[size_t(each.index)];
    // Remembered until the next `settle`: a later refusal in this step must not hide it from the next one.
    if (tensor.read(each.gradient, each.index, active_target().rules[settings.rule].states, settings, keep))
      note_moved(tensor);
    if (tensor.row_dimensions) tensor.refuse_beside_rows(settings, each.index);
    if (!tensor.has_states()) unbound.append(each.index);
    active_.add(each.index, each.group, tensor.moved_at);
    tasks_.push_back(&tensor.task);
  }
  slots_.resize(given_.size());
  return unbound;
}

bool tensors::are_unmoved() {
  return std::all_of(given_.begin(), given_.end(), [&](const stepped& each) {
    return each.gradient.is_none() || slots_[size_t(each.index)].is_unmoved(each.gradient);
  });
}

tensors::step_scope::step_scope(tensors& of, const step_arguments& given)
    : after_fork_(of.stepping_ != 0), guard_(of.stepping_), of_(of), given_(given) {
  if (after_fork_)
    for (slot& each : of.slots_) each.drop_added();
}

tensors::step_scope::~step_scope() {
  for (const state_binding& each : given_.bindings)
    if (size_t(each.index) < of_.slots_.size()) of_.slots_[size_t(each.index)].drop_added();
  of_.given_.clear();
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

void tensors::count(const step_arguments& given, const bookkeeping& books, bool updated) {
  const py::list told = written(given, updated);
  books.write([&] { tell_autograd(told); });
  if (!updated) return;
  for (const state_binding& each : given.bindings) slots_[size_t(each.index)].added = {};
  if (!states_seen_.match(given.states)) states_seen_.remember(given.states);
}

py::list tensors::written(const step_arguments& given, bool updated) const {
  py::list found;
  for (const int index : zeroed(given.groups)) found.append(slots_[size_t(index)].gradient_seen);
  if (!updated) return found;
  if (given.options.tells_states)
    for (const int index : active_.indices)
      for (const py::object& member : slots_[size_t(index)].members) found.append(member);
  return found.empty() ? parameters_ : py::list(found + parameters_);
}

std::vector<int> tensors::zeroed(const std::vector<group_settings>& groups) const {
  std::vector<int> found;
  for (size_t i = 0; i < active_.indices.size(); ++i)
    if (groups[size_t(active_.groups[i])].around.zero_gradient) found.push_back(active_.indices[i]);
  return found;
}

int tensors::traverse(visitproc visit, void* arg) const {
  Py_VISIT(parameters_.ptr());
  for (const stepped& each : given_) {
    Py_VISIT(each.parameter.ptr());
    Py_VISIT(each.gradient.ptr());
  }
  for (const slot& each : slots_) {
    Py_VISIT(each.parameter.ptr());
    Py_VISIT(each.state.ptr());
    Py_VISIT(each.added.ptr());
    for (const py::object& member : each.members) Py_VISIT(member.ptr());
  }
  return 0;
}

void tensors::clear() {
  slots_.clear();
  active_.clear();
  tasks_.clear();
  given_.clear();
  parameters_ = py::list();
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
