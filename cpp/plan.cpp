#include "plan.h"

#include "dispatch.h"
#include "measuring.h"

namespace py = pybind11;

namespace gradstep {

namespace {

constexpr size_t longest_history = 1000;  // of updates that are kept for rows that lag

}  // namespace

py::list plan::step(const py::list& parameters, const py::object& gradients, const py::object& states,
                    const std::vector<group_settings>& groups, const step_settings& options) {
  const step_guard guard(stepping_);
  std::vector<py::object> kept_alive;
  const py::list unbound = read_all(parameters, gradients, states, groups, kept_alive);
  chunks_.cut(tasks_, moved_, options.threads);
  settle();

  report_ = {};
  const bool measured = must_measure_gradients(groups, options);
  if (measured) measure(options);
  report_.skipped = options.skip || (options.skip_nonfinite && report_.nonfinite > 0);
  if (report_.skipped) {
    zero_gradients(groups);
    note_written(groups, false);
    return py::list();
  }
  if (!unbound.empty()) return unbound;
  update(groups, options, shrinkage(groups, options), measured);
  for (const int index : active_.indices)
    if (slots_[size_t(index)].history.steps.size() >= longest_history)
      replay(index, py::none(), options.threads);
  remember_states(states);
  note_written(groups, true);
  return unbound;
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

void plan::update(const std::vector<group_settings>& groups, const step_settings& options,
                  const std::vector<double>& shrink, bool measured) {
  if (rule_measures(groups)) {
    prepare(groups, options, shrink, measured);
    measure_rules(slots_, active_.indices, chunks_);
  }
  const std::vector<const prepared*> steps = prepare(groups, options, shrink, measured);
  const target& on = active_target();
  chunks_.run([&](const chunk& each) { update_run(on, *each.task, each.first, each.count); });
  for (size_t i = 0; i < active_.indices.size(); ++i)
    slots_[size_t(active_.indices[i])].advance(steps[i]->after);
  if (!options.measure) return;
  for (const int index : active_.indices) slots_[size_t(index)].released = total(slots_[size_t(index)].task);
  report_measured(chunks_.total());
}

void plan::zero_gradients(const std::vector<group_settings>& groups) {
  for (const int index : zeroed(groups)) {
    const tensor_task& task = slots_[size_t(index)].task;
    zero_run(task, 0, task.size);
  }
}

py::list plan::catch_up(int index, const py::object& rows, int threads) {
  const step_guard guard(stepping_);
  py::list caught_up;
  if (index >= int(slots_.size()) || !slots_[size_t(index)].lags()) return caught_up;
  replay(index, rows, threads);
  caught_up.append(slots_[size_t(index)].parameter);
  return caught_up;
}

void plan::replay(int index, const py::object& rows, int threads) {
  slot& tensor = slots_[size_t(index)];
  std::vector<py::object> kept_alive;
  tensor.visit_lagging(rows, index, kept_alive);
  moved_ = true;
  chunks_.cut({&tensor.task}, moved_, threads);
  const target& on = active_target();
  chunks_.run([&](const chunk& each) { replay_run(on, *each.task, each.first, each.count); });
  tensor.note_made();
  if (rows.is_none()) tensor.forget_history();
}

}  // namespace gradstep
