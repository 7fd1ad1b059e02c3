#include "plan/host_plan.h"

#include <algorithm>
#include <cmath>

#include "host/gradients.h"
#include "host/simd/dispatch.h"
#include "plan/rule_reductions.h"

namespace gradstep {

namespace {

constexpr size_t most_updates_kept = 1000;  // for lazy rows

}  // namespace

void host_plan::cut(int threads) {
  chunks_.cut(tensors_.tasks, tensors_.moved, threads);
  tensors_.commit_layout();
}

void host_plan::reserve(const std::vector<group_settings>& groups, const step_settings& options) {
  group_norms_.resize(groups.size());
  clip_factors_.resize(groups.size());
  zeroed_ = tensors_.zeroed(groups);
  if (options.skip) return;
  updates_.reserve(tensors_.active.indices.size());
  for (const int index : tensors_.active.indices) {
    tensor& each = tensors_[index];
    if (each.layout.task.matrix) reserve_matrix(each.layout.task);
    if (each.layout.task.history) each.lazy.reserve();
  }
}

bool host_plan::decide(const std::vector<group_settings>& groups, const step_settings& options) {
  report_ = {};
  if (needs_gradient_norm(groups, options)) sum_gradients(groups, options);
  report_.skipped = options.skip || (options.skip_nonfinite && report_.nonfinite > 0);
  return !report_.skipped;
}

void host_plan::sum_gradients(const std::vector<group_settings>& groups, const step_settings& options) {
  report_.take_gradients(gradstep::sum_gradients(chunks_, options.unscale));
  std::fill(group_norms_.begin(), group_norms_.end(), 0.0);
  const auto norms_of_groups = [&](double scale) {
    for (size_t i = 0; i < groups.size(); ++i)
      if (groups[i].options.clip_by_group && (scale == 1 || std::isinf(group_norms_[i])))
        group_norms_[i] = norm_of_group(int(i), scale);
  };
  norms_of_groups(1);
  if (!std::isinf(report_.gradient_norm) || report_.nonfinite > 0) return;
  const sums scaled = gradstep::sum_gradients(chunks_, options.unscale * against_overflow);
  report_.gradient_norm = std::sqrt(scaled.gradient) / against_overflow;
  norms_of_groups(against_overflow);
}

double host_plan::norm_of_group(int group, double scale) const {
  const std::vector<int>& groups = tensors_.active.groups;
  const auto [first, last] = std::equal_range(groups.begin(), groups.end(), group);
  pairwise_sum all;
  for (auto each = first; each != last; ++each)
    all.add(total(*tensors_.tasks[size_t(each - groups.begin())]));
  return std::sqrt(all.total().gradient) / scale;
}

void host_plan::find_clip_factors(const std::vector<group_settings>& groups, const step_settings& options) {
  for (size_t group = 0; group < groups.size(); ++group) {
    const step_options& group_options = groups[group].options;
    clip_factors_[group] = 1;
    if (group_options.clip_norm == no_limit) continue;  // the norm may not be known
    double norm = group_options.clip_by_group ? group_norms_[group] : report_.gradient_norm;
    if (options.known_norm >= 0) norm = options.known_norm;
    clip_factors_[group] = group_options.clip_factor(norm);
  }
}

void host_plan::make_updates(const std::vector<group_settings>& groups, const step_settings& options) {
  updates_.make(tensors_, groups, options, clip_factors_, needs_gradient_norm(groups, options));
}

void host_plan::prepare(const std::vector<group_settings>& groups, const step_settings& options) {
  find_clip_factors(groups, options);
  make_updates(groups, options);
  if (chunks_.has_matrices()) prepare_matrices();
  if (!has_rule_reductions(groups)) return;
  reduce_for_rules(tensors_, chunks_);
  make_updates(groups, options);
}

void host_plan::prepare_matrices() {
  const target& on = active_target();
  const auto reduces = [](const tensor_task* task) { return task->matrix && task->matrix->form.reduces; };
  if (std::none_of(tensors_.tasks.begin(), tensors_.tasks.end(), reduces)) return;
  chunks_.run_bands([&](const chunk& each) {
    if (reduces(each.task)) reduce_band(on, *each.task, each.first, each.count);
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

void host_plan::write() {
  const target& on = active_target();
  const std::vector<const prepared_update*>& updates = updates_.of_tensors();
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
  if (options.stats) {
    for (const int index : tensors_.active.indices)
      tensors_[index].report.released = total(tensors_[index].layout.task);
    const sums all = chunks_.total();
    if (!needs_gradient_norm(groups, options)) report_.take_gradients(all);
    report_.take_change(all);
  }
  if (options.joins) join_reports();
}

void host_plan::join_reports() {
  pairwise_sum parts;
  bool any = false;
  for (tensor& each : tensors_.all) {
    if (each.report.released) parts.add(*each.report.released);
    any |= each.report.released.has_value();
    each.report.released.reset();
  }
  report_ = {};
  if (!any) return;
  const sums all = parts.total();
  report_.take_gradients(all);
  report_.take_change(all);
}

void host_plan::zero_gradients() const {
  for (const int index : zeroed_) {
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
