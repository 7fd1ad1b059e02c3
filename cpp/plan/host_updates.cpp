#include "plan/host_updates.h"

#include <algorithm>

#include "host/simd/dispatch.h"

namespace gradstep {

namespace {

bool same_time(const step_context& a, const step_context& b) {
  return a.t == b.t && a.fresh == b.fresh && a.average_product == b.average_product &&
         a.elements == b.elements && std::equal(a.measured, a.measured + 2, b.measured) &&
         std::equal(a.kept, a.kept + kept_limit, b.kept);
}

}  // namespace

void host_updates::reserve(size_t tensors) {
  made_.reserve(tensors);
  of_tensors_.reserve(tensors);
}

void host_updates::make(tensor_list& tensors, const std::vector<group_settings>& groups,
                        const step_settings& options, const std::vector<double>& clip_factors,
                        bool norm_is_known) {
  made_.clear();
  of_tensors_.clear();
  for (size_t i = 0; i < tensors.active.indices.size(); ++i) {
    tensor& each = tensors[tensors.active.indices[i]];
    const int group = tensors.active.groups[i];
    of_tensors_.push_back(&find_or_make(each, group, groups[size_t(group)], options,
                                        clip_factors[size_t(group)], norm_is_known));
    each.layout.task.step = &of_tensors_.back()->update;
  }
}

const prepared_update& host_updates::find_or_make(const tensor& of, int group, const group_settings& settings,
                                                  const step_settings& options, double clip_factor,
                                                  bool norm_is_known) {
  step_context now = of.time.next_update();
  settings.options.complete(now, settings.lr, settings.weight_decay);
  const rule_entry& rule = active_target().rules[settings.rule];
  const tensor_task& task = of.layout.task;
  if (rule.bodies[0].measure) {
    now.elements = double(task.size);
    std::copy(of.reductions, of.reductions + 2, now.measured);
  }
  if (!made_.empty()) {
    const prepared_update& last = made_.back();
    if (last.group == group && last.update.type == task.type && same_time(last.before, now)) return last;
  }
  prepared_update& made = made_.emplace_back(prepared_update{group, now, now, {}});
  host_update& update = made.update;
  update.body = &rule.bodies[int(task.type)];
  update.measures = rule.measures;
  update.type = task.type;
  update.zero_grad = settings.options.zero_grad;
  update.sum_gradient = options.stats && !norm_is_known;
  update.sum_change = options.stats;
  update.body->make_rule_constants(settings.hypers.data(), made.after, update.rule);
  make_constants(update, settings.options, made.after, options.unscale, clip_factor);
  return made;
}

}  // namespace gradstep
