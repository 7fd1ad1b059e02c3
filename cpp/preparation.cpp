#include "preparation.h"

#include <algorithm>

#include "dispatch.h"

namespace gradstep {

namespace {

bool is_plain(const gradient_stage& stage) {
  return stage.unscale == 1 && stage.shrink == 1 && stage.limit == no_limit && stage.decay == 0 &&
         !stage.maximize;
}

bool same_time(const clock& a, const clock& b) {
  return a.t == b.t && a.fresh == b.fresh && a.average_product == b.average_product &&
         a.elements == b.elements && std::equal(a.measured, a.measured + 2, b.measured) &&
         std::equal(a.kept, a.kept + kept_limit, b.kept);
}

double shrinkage(const group_settings& settings) {
  switch (settings.around.decay) {
    case decay_kind::coupled:
      return 0;
    case decay_kind::decoupled:
      return settings.lr * settings.weight_decay;
    case decay_kind::full:
      return settings.lr / settings.around.full_lr * settings.weight_decay;
    case decay_kind::corrected:
      return settings.lr * (settings.lr / settings.around.full_lr) * settings.weight_decay;
  }
  return 0;
}

}  // namespace

double corrected_average_weight(double decay, double& product) {
  product *= decay;
  return decay == 1 ? 0 : (1 - decay) / (1 - product);
}

const prepared& preparation::prepare(const slot& tensor, int group, const group_settings& settings,
                                     const step_settings& options, double shrink, bool measured) {
  clock now = tensor.now();
  const double coupled = settings.around.decay == decay_kind::coupled ? settings.weight_decay : 0;
  now.lr = now.rate = settings.lr;
  now.weight_decay = settings.weight_decay;
  now.coupled_decay = coupled;
  now.decay = shrinkage(settings);
  now.keep = 1 - now.decay;
  now.cautious = settings.around.cautious;
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
  step.gradient = {options.unscale, shrink, settings.around.clip_value, coupled, settings.around.maximize};
  const double decay = settings.around.average_decay;
  step.average_weight = settings.around.corrects_average
                            ? corrected_average_weight(decay, made.after.average_product)
                            : 1 - decay;
  step.zero_gradient = settings.around.zero_gradient;
  step.measure_gradient = options.measure && !measured;
  step.measure_change = options.measure;
  step.prepares_gradient = !is_plain(step.gradient);
  return made;
}

}  // namespace gradstep
