#include "plan/host_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "host/gradients.h"
#include "host/simd/dispatch.h"
#include "plan/rule_reductions.h"

namespace gradstep {

namespace {

constexpr size_t most_updates_kept = 1000;  // for lazy rows

}  // namespace

void host_plan::cut(int threads) {
  chunks_.cut(tensors_.tasks, tensors_.moved, threads);
  tensors_.settle();
}

bool host_plan::decide(const std::vector<group_settings>& groups, const step_settings& options) {
  report_ = {};
  if (needs_gradient_norm(groups, options)) measure_gradients(groups, options);
  report_.skipped = options.skip || (options.skip_nonfinite && report_.nonfinite > 0);
  return !report_.skipped;
}

void host_plan::measure_gradients(const std::vector<group_settings>& groups, const step_settings& options) {
  report_.take_gradients(gradstep::measure_gradients(chunks_, options.unscale));
  group_norms_.assign(groups.size(), 0);
  const auto norms_of_groups = [&](double scale) {
    for (size_t i = 0; i < groups.size(); ++i)
      if (groups[i].around.clip_alone && (scale == 1 || std::isinf(group_norms_[i])))
        group_norms_[i] = norm_of_group(int(i), scale);
  };
  norms_of_groups(1);
  if (!std::isinf(report_.gradient_norm) || report_.nonfinite > 0) return;
  const sums scaled = gradstep::measure_gradients(chunks_, options.unscale * against_overflow);
  report_.gradient_norm = std::sqrt(scaled.gradient) / against_overflow;
  norms_of_groups(against_overflow);
}

double host_plan::norm_of_group(int group, double scale) const {
  const std::vector<int>& groups = tensors_.active.groups;
  const auto [first, last] = std::equal_range(groups.begin(), groups.end(), group);
  std::vector<sums> parts;
  for (auto each = first; each != last; ++each)
    parts.push_back(total(*tensors_.tasks[size_t(each - groups.begin())]));
  return std::sqrt(add_pairwise(std::move(parts)).gradient) / scale;
}

std::vector<double> host_plan::clip_factors(const std::vector<group_settings>& groups,
                                            const step_settings& options) const {
  std::vector<double> factors(groups.size(), 1);
  for (size_t group = 0; group < groups.size(); ++group) {
    const step_options& around = groups[group].around;
    if (around.clip_norm == no_limit) continue;  // the norm may not be known
    double norm = around.clip_alone ? group_norms_[group] : report_.gradient_norm;
    if (options.known_norm >= 0) norm = options.known_norm;
    factors[group] = around.clip_factor(norm);
  }
  return factors;
}

step_updates host_plan::prepare(const std::vector<group_settings>& groups, const step_settings& options) {
  const bool norm_is_known = needs_gradient_norm(groups, options);
  const std::vector<double> factors = clip_factors(groups, options);
  const auto make = [&] { return updates_.make(tensors_, groups, options, factors, norm_is_known); };
  step_updates updates = make();
  if (chunks_.has_matrices()) prepare_matrices();
  if (has_rule_reductions(groups)) {
    reduce_for_rules(tensors_, chunks_);
    updates = make();
  }
  for (const int index : tensors_.active.indices)
    if (tensors_[index].layout.task.history) tensors_[index].lazy.reserve();
  return updates;
}

void host_plan::prepare_matrices() {
  const target& on = active_target();
  bool reduces = false;
  for (tensor_task* task : tensors_.tasks) {
    if (!task->matrix) continue;
    reserve_matrix(*task);
    reduces |= task->matrix->form.reduces;
  }
  if (!reduces) return;
  chunks_.run_bands([&](const chunk& each) {
    if (each.task->matrix->form.reduces) reduce_band(on, *each.task, each.first, each.count);
  });
  for (const tensor_task* task : tensors_.tasks)
    if (task->matrix && task->size > 0) renew_numbers(on, *task);
}

void host_plan::finish_matrices() {
  const target& on = active_target();
  const auto is_directed = [](const tensor_task* task) {
    return task->matrix && task->matrix->form.transforms_direction;
  };
  if (std::any_of(tensors_.tasks.begin(), tensors_.tasks.end(), is_directed)) {
    chunks_.run_bands([&](const chunk& each) {
      if (is_directed(each.task)) transform_band(*each.task, each.first, each.count);
    });
    chunks_.run([&](const chunk& each) {
      if (is_directed(each.task)) descend_run(on, *each.task, each.first, each.count);
    });
  }
  for (const tensor_task* task : tensors_.tasks)
    if (task->matrix && task->size > 0) write_numbers(on, *task);
}

void host_plan::write(const step_updates& updates) {
  const target& on = active_target();
  for (size_t i = 0; i < updates.size(); ++i) {
    tensor& each = tensors_[tensors_.active.indices[i]];
    each.time.advance(updates[i]->after);
    each.reductions[0] = each.reductions[1] = 0;
  }
  chunks_.run([&](const chunk& each) { update_run(on, *each.task, each.first, each.count); });
  if (chunks_.has_matrices()) finish_matrices();
  for (const int index : tensors_.active.indices) {
    tensor& each = tensors_[index];
    if (!each.layout.task.history) continue;
    each.lazy.record(*each.layout.task.step);
    each.lazy.note_applied(each.layout.rows().visited);
  }
}

void host_plan::take_report(const std::vector<group_settings>& groups, const step_settings& options) {
  if (options.measure) {
    for (const int index : tensors_.active.indices)
      tensors_[index].report.released = total(tensors_[index].layout.task);
    const sums all = chunks_.total();
    if (!needs_gradient_norm(groups, options)) report_.take_gradients(all);
    report_.take_change(all);
  }
  if (options.joins) join_reports();
}

void host_plan::join_reports() {
  std::vector<sums> parts;
  for (tensor& each : tensors_.all) {
    if (each.report.released) parts.push_back(*each.report.released);
    each.report.released.reset();
  }
  report_ = {};
  if (parts.empty()) return;
  const sums all = add_pairwise(std::move(parts));
  report_.take_gradients(all);
  report_.take_change(all);
}

void host_plan::fill_with_zeros(const std::vector<int>& indices) const {
  for (const int index : indices) {
    const tensor_task& task = tensors_[index].layout.task;
    zero_run(task, 0, task.size);
  }
}

std::vector<int> host_plan::full_of_updates() const {
  std::vector<int> found;
  for (const int index : tensors_.active.indices)
    if (tensors_[index].lazy.updates() >= most_updates_kept) found.push_back(index);
  return found;
}

void host_plan::cut_rows(const std::vector<int>& indices, int threads) {
  std::vector<tensor_task*> tasks;
  for (const int index : indices) tasks.push_back(&tensors_[index].layout.task);
  tensors_.moved = true;
  chunks_.cut(tasks, true, threads);
}

void host_plan::apply_missed(const std::vector<int>& indices, bool all_rows) {
  const target& on = active_target();
  chunks_.run([&](const chunk& each) { replay_run(on, *each.task, each.first, each.count); });
  for (const int index : indices) {
    tensor& each = tensors_[index];
    each.lazy.note_applied(each.layout.rows().visited);
    if (all_rows) each.lazy.forget();
  }
}

}  // namespace gradstep
