#include "python/bindings.h"

#include <algorithm>

#include "host/simd/dispatch.h"
#include "python/attribute.h"
#include "python/autograd.h"
#include "python/foreign_code.h"
#include "python/refusals.h"

namespace py = pybind11;

namespace gradstep {

namespace {

attribute grad_attribute() {
  static const py::handle name = PyUnicode_InternFromString("grad");
  return attribute(name);
}

// A sequence that no other code can change.
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

}  // namespace

py::list bindings::read_all(const step_arguments& given, owners& keep) {
  constexpr int most_readings = 4;
  refuse_impossible(given.groups);
  take_objects(given);
  const no_garbage_collection pause;
  keep.reserve(given_.size());
  for (int reading = 0; reading < most_readings; ++reading) {
    const uint64_t calls_before = foreign_calls();
    if (torch_functions_are_overridden()) count_foreign_call();
    if (!states_seen_.match(given.states)) {
      for (binding& each : all_) each.forget_states();
      states_seen_.remember(given.states);
    }
    py::list unbound = read_tensors(given, keep);
    if (!unbound.empty()) return unbound;  // what they were bound to before is not what they will step
    refuse_shared_memory(given.groups);
    if (foreign_calls() != calls_before && !(states_seen_.match(given.states) && are_unmoved())) continue;
    for (const int index : tensors_.active.indices) all_[size_t(index)].refuse_wrong_count();
    return unbound;
  }
  refuse_moving();
}

// Holds all parameters and gradients before any of them is read: to get one may run code that moves another.
void bindings::take_objects(const step_arguments& given) {
  given_.clear();
  std::vector<stepped> taken;
  const py::tuple by_group = owned(given.parameters);
  if (by_group.size() != given.groups.size())
    throw py::value_error("the step got the parameters of " + std::to_string(by_group.size()) +
                          " groups and " + std::to_string(given.groups.size()) +
                          " settings: they must be as many");
  taken.reserve(all_.size());
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

py::list bindings::read_tensors(const step_arguments& given, owners& keep) {
  py::list unbound;
  tensors_.start_step();
  if (all_.size() < given_.size()) resize(given_.size());
  for (const stepped& each : given_)
    if (!each.gradient.is_none()) all_[size_t(each.index)].take(each.parameter);
  for (const state_binding& each : given.bindings) {
    binding& tensor = all_.at(size_t(each.index));
    if (!tensor.is_bound_to(each)) tensor.bind(each);
  }
  for (const stepped& each : given_) {
    if (each.gradient.is_none()) continue;
    const group_settings& settings = given.groups[size_t(each.group)];
    binding& objects = all_[size_t(each.index)];
    tensor& its = tensors_[each.index];
    // Remembered until the next `settle`: a later refusal in this step must not hide it from the next one.
    if (objects.read(each.gradient, active_target().rules[settings.rule], settings, keep))
      tensors_.invalidate(its);
    if (its.layout.row_dimensions()) refuse_beside_rows(settings, each.index);
    if (!objects.has_states()) unbound.append(each.index);
    tensors_.activate(each.index, each.group);
  }
  resize(given_.size());
  return unbound;
}

void bindings::resize(size_t count) {
  while (all_.size() < count) {
    tensors_.all.emplace_back();
    all_.emplace_back(tensors_.all.back(), int(all_.size()), where_, on_host_);
  }
  while (all_.size() > count) {
    all_.pop_back();
    tensors_.all.pop_back();
  }
}

void bindings::refuse_shared_memory(const std::vector<group_settings>& groups) {
  refuse_read_only_gradients(tensors_, groups);
  if (const auto found = memory_.find(tensors_, groups))
    refuse_shared(*found, [&](int tensor, size_t member) { return member_text(tensor, member); });
}

std::string bindings::member_text(int tensor, size_t member) const {
  return all_[size_t(tensor)].member_text(member);
}

void bindings::visit_lagging(const std::vector<int>& indices, const py::object& rows, owners& keep) {
  const no_garbage_collection pause;
  const uint64_t calls_before = foreign_calls();
  for (const int index : indices) all_[size_t(index)].visit_lagging(rows, keep);
  if (const auto found = memory_.find_written(tensors_, indices))
    refuse_shared(*found, [&](int tensor, size_t member) { return member_text(tensor, member); });
  if (foreign_calls() == calls_before && !torch_functions_are_overridden()) return;
  for (const int index : indices)
    if (!all_[size_t(index)].is_unmoved(py::none())) refuse_moving();
}

bool bindings::are_unmoved() {
  return std::all_of(given_.begin(), given_.end(), [&](const stepped& each) {
    return each.gradient.is_none() || all_[size_t(each.index)].is_unmoved(each.gradient);
  });
}

bindings::step_scope::step_scope(bindings& of, const step_arguments& given)
    : after_fork_(of.stepping_ != 0), guard_(of.stepping_), of_(of), given_(given) {
  if (after_fork_)
    for (binding& each : of.all_) each.drop_added();
}

bindings::step_scope::~step_scope() {
  for (const state_binding& each : given_.bindings)
    if (size_t(each.index) < of_.all_.size()) of_.all_[size_t(each.index)].drop_added();
  of_.given_.clear();
}

void bindings::count(const step_arguments& given, const bookkeeping& books, bool updated) {
  write_books(given, books, updated);
  if (updated) note_update(given);
}

owners bindings::write_books(const step_arguments& given, const bookkeeping& books, bool updated) {
  states_seen_.reserve(size_t(py::len(given.states)) + given.bindings.size());  // for `note_update`
  const py::list told = written(given, updated);
  owners replaced = books.replace();
  try {
    tell_autograd(told);
  } catch (py::error_already_set&) {
    books.put_back(replaced);
    throw;
  }
  return replaced;
}

void bindings::note_update(const step_arguments& given) {
  for (const state_binding& each : given.bindings) all_[size_t(each.index)].own_added();
  if (!states_seen_.match(given.states)) states_seen_.remember(given.states);
}

bindings::counted_ahead::counted_ahead(bindings& of, const step_arguments& given, const step_books& books)
    : of_(of), given_(given), books_(books), replaced_(of.write_books(given, books.updated, true)) {}

bindings::counted_ahead::~counted_ahead() {
  if (decided_) return;
  try {
    books_.updated.put_back(replaced_);
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable("taking back what an update had counted");
  }
}

void bindings::counted_ahead::keep() {
  of_.note_update(given_);
  decided_ = true;
}

void bindings::counted_ahead::skip() {
  books_.updated.put_back(replaced_, books_.skipped);
  decided_ = true;
}

py::list bindings::written(const step_arguments& given, bool updated) const {
  py::list found;
  for (const int index : tensors_.zeroed(given.groups)) found.append(all_[size_t(index)].gradient_seen());
  if (!updated) return found;
  if (given.options.tells_states)
    for (const int index : tensors_.active.indices)
      for (const py::object& member : all_[size_t(index)].members()) found.append(member);
  return found.empty() ? parameters_ : py::list(found + parameters_);
}

py::list bindings::parameters_of(const std::vector<int>& indices) const {
  py::list found;
  for (const int index : indices) found.append(all_[size_t(index)].parameter());
  return found;
}

const py::object* bindings::any_parameter() const {
  for (const binding& each : all_)
    if (each.parameter()) return &each.parameter();
  return nullptr;
}

void bindings::list_parameters() {
  if (tensors_.changed()) parameters_ = parameters_of(tensors_.active.indices);
}

int bindings::traverse(visitproc visit, void* arg) const {
  Py_VISIT(parameters_.ptr());
  for (const stepped& each : given_) {
    Py_VISIT(each.parameter.ptr());
    Py_VISIT(each.gradient.ptr());
  }
  for (const binding& each : all_)
    if (const int stop = each.traverse(visit, arg)) return stop;
  return 0;
}

void bindings::clear() {
  resize(0);
  tensors_.start_step();
  given_.clear();
  parameters_ = py::list();
}

int bindings::gathered() const {
  int count = 0;
  for (const tensor_task* task : tensors_.tasks) {
    bool direct = task->parameter.direct && task->gradient.direct;
    for (int k = 0; k < task->state_count; ++k) direct &= task->states[k].direct;
    count += !direct;
  }
  return count;
}

void check_parameters(const py::list& parameters) {
  std::vector<array_view> views;
  std::vector<array_role> roles;
  owners keep;
  const device where = common_device(parameters);
  for (const py::handle parameter : parameters) {
    const int index = int(roles.size());
    roles.push_back({"parameter", index, where});
    views.push_back(read_parameter(parameter, roles.back(), keep));
    inspect_tensor(parameter, views.back(), roles.back());
  }
  refuse_overlap(views, roles, std::vector<bool>(views.size(), true));
}

}  // namespace gradstep
