#include "python/plan.h"

#include <optional>

#include "host/simd/dispatch.h"
#include "python/autograd.h"
#include "python/measuring.h"
#include "python/whole_writes.h"

namespace py = pybind11;

namespace gradstep {

namespace {

constexpr size_t longest_history = 1000;  // of updates that are kept for rows that lag

}  // namespace

py::list plan::step(const step_arguments& given, const step_books& books, const earlier_step<plan>& before) {
  const step_scope scope(*this, given);
  std::optional<step_scope> scope_before;
  std::vector<py::object> kept_alive;
  if (before.by) {
    scope_before.emplace(*before.by, before.given);
    before.by->read(before.given, kept_alive);
  }
  py::list unbound = read(given, kept_alive);
  if (!unbound.empty() && !given.options.skip) return unbound;
  const whole_writes together;
  if (before.by && !before.by->decide(before.given)) {
    report_ = {.skipped = true};
    skip(given, books);
    return py::list();
  }
  // Where sums over what the earlier step writes are asked for, it must be made before this one is counted.
  const bool apart = must_measure_gradients(given.groups, given.options) || rule_measures(given.groups);
  if (before.by && apart) before.by->update(before.given, {}, {});
  if (decide(given))
    update(given, books, apart ? earlier_step<plan>() : before);
  else
    skip(given, books);
  return py::list();
}

py::list plan::read(const step_arguments& given, std::vector<py::object>& keep) {
  py::list unbound = read_all(given, keep);
  chunks_.cut(tasks_, moved_, given.options.threads);
  settle();
  return unbound;
}

bool plan::decide(const step_arguments& given) {
  report_ = {};
  if (must_measure_gradients(given.groups, given.options)) measure(given.groups, given.options);
  report_.skipped = given.options.skip || (given.options.skip_nonfinite && report_.nonfinite > 0);
  return !report_.skipped;
}

std::vector<const prepared*> plan::prepare(const std::vector<group_settings>& groups,
                                           const step_settings& options, const std::vector<double>& shrink,
                                           bool measured) {
  preparation_.restart();
  std::vector<const prepared*> steps;
  steps.reserve(active_.indices.size());
  for (size_t i = 0; i < active_.indices.size(); ++i) {
    slot& tensor = slots_[size_t(active_.indices[i])];
    const int group = active_.groups[i];
    steps.push_back(&preparation_.prepare(tensor, group, groups[size_t(group)], options,
                                          shrink[size_t(group)], measured));
    tensor.task.step = &steps.back()->step;
  }
  return steps;
}

// All that can fail comes first. Then the update is counted and made, in this order and without a chance for
// a signal in between: it is whole for whoever sees any of it.
void plan::update(const step_arguments& given, const step_books& books, const earlier_step<plan>& before) {
  std::vector<const prepared*> steps_before;
  if (before.by) steps_before = before.by->count_update(before.given, {});
  const std::vector<const prepared*> steps = count_update(given, books);
  if (before.by) before.by->write(before.given, {}, steps_before);
  write(given, books, steps);
}

std::vector<const prepared*> plan::count_update(const step_arguments& given, const step_books& books) {
  const bool measured = must_measure_gradients(given.groups, given.options);
  const std::vector<double> shrink = shrinkage(given.groups, given.options);
  if (rule_measures(given.groups)) {
    prepare(given.groups, given.options, shrink, measured);
    measure_rules(slots_, active_.indices, chunks_);
  }
  std::vector<const prepared*> steps = prepare(given.groups, given.options, shrink, measured);
  for (const int index : active_.indices) slots_[size_t(index)].reserve_history();
  count(given, books.updated, true);
  return steps;
}

void plan::write(const step_arguments& given, const step_books& books,
                 const std::vector<const prepared*>& steps) {
  const target& on = active_target();
  for (size_t i = 0; i < active_.indices.size(); ++i)
    slots_[size_t(active_.indices[i])].advance(steps[i]->after);
  chunks_.run([&](const chunk& each) { update_run(on, *each.task, each.first, each.count); });
  for (const int index : active_.indices) slots_[size_t(index)].note_step();
  std::vector<int> behind;
  for (const int index : active_.indices)
    if (slots_[size_t(index)].history.steps.size() >= longest_history) behind.push_back(index);
  replay(behind, py::none(), given.options.threads);
  take_report(given.options, books.updated, must_measure_gradients(given.groups, given.options));
}

void plan::skip(const step_arguments& given, const step_books& books) {
  count(given, books.skipped, false);
  for (const int index : zeroed(given.groups)) {
    const tensor_task& task = slots_[size_t(index)].task;
    zero_run(task, 0, task.size);
  }
}

void plan::catch_up(const std::vector<int>& indices, const py::object& rows, int threads) {
  const step_guard guard(stepping_);
  std::vector<int> behind;
  for (const int index : indices)
    if (size_t(index) < slots_.size() && slots_[size_t(index)].lags()) behind.push_back(index);
  replay(behind, rows, threads);
}

void plan::replay(const std::vector<int>& indices, const py::object& rows, int threads) {
  if (indices.empty()) return;
  std::vector<py::object> kept_alive;
  std::vector<tensor_task*> tasks;
  py::list written;
  visit_lagging(indices, rows, kept_alive);
  for (const int index : indices) {
    tasks.push_back(&slots_[size_t(index)].task);
    written.append(slots_[size_t(index)].parameter);
  }
  moved_ = true;
  chunks_.cut(tasks, moved_, threads);
  const whole_writes together;
  tell_autograd(written);
  const target& on = active_target();
  chunks_.run([&](const chunk& each) { replay_run(on, *each.task, each.first, each.count); });
  for (const int index : indices) {
    slots_[size_t(index)].note_made();
    if (rows.is_none()) slots_[size_t(index)].forget_history();
  }
}

void plan::visit_lagging(const std::vector<int>& indices, const py::object& rows,
                         std::vector<py::object>& keep) {
  const no_garbage_collection pause;
  const uint64_t calls_before = foreign_calls();
  for (const int index : indices) slots_[size_t(index)].visit_lagging(rows, index, keep);
  sharing_.refuse_written(slots_, indices);
  if (foreign_calls() == calls_before && !torch_functions_are_overridden()) return;
  for (const int index : indices)
    if (!slots_[size_t(index)].is_unmoved(py::none())) refuse_moving();
}

}  // namespace gradstep
