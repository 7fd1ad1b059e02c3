#include "python/preparation.h"

#include <algorithm>

#include "host/simd/dispatch.h"

namespace gradstep {

namespace {

bool same_time(const clock& a, const clock& b) {
  return a.t == b.t && a.fresh == b.fresh && a.average_product == b.average_product &&
         a.elements == b.elements && std::equal(a.measured, a.measured + 2, b.measured) &&
         std::equal(a.kept, a.kept + kept_limit, b.kept);
}

}  // namespace

const prepared& preparation::prepare(const slot& tensor, int group, const group_settings& settings,
                                     const step_settings& options, double shrink, bool measured) {
  clock now = tensor.now();
  settings.around.complete(now, settings.lr, settings.weight_decay);
  const rule_entry& rule = active_target().rules[settings.rule];
  if (rule.bodies[0].measure) {
    now.elements = double(tensor.task.size);
    std::copy(tensor.measured, tensor.measured + 2, now.measured);
  }
  const arithmetic type = tensor.task.type;
  if (!made_.empty()) {
    const prepared& last = made_.back();
    if (last.group == group && last.step.type == type && same_time(last.before, now)) return last;
  }
  prepared& made = made_.emplace_back(prepared{group, now, now, {}});
  constants& step = made.step;
  step.body = &rule.bodies[int(type)];
  step.measures = rule.measures;
  step.type = type;
  step.body->prepare(settings.hypers.data(), made.after, step.rule);
  step.rate = made.after.rate;
  step.keep = made.after.keep;
  step.keep_against = now.cautious ? 1 : step.keep;
  step.gradient = {options.unscale, shrink, settings.around.clip_value, now.coupled_decay,
                   settings.around.maximize};
  step.average_weight = settings.around.average_weight(made.after);
  step.zero_gradient = settings.around.zero_gradient;
  step.measure_gradient = options.measure && !measured;
  step.measure_change = options.measure;
  step.prepares_gradient = !step.gradient.is_plain();
  return made;
}

}  // namespace gradstep
