// The numbers of one tensor's update that are the same for all of its elements.
#pragma once

#include "numeric/portable.h"
#include "step/context.h"
#include "step/options.h"

namespace gradstep {

constexpr int state_limit = 4;        // arrays of state per parameter
constexpr int constants_bytes = 256;  // a rule's constants of one step

// The transform of a gradient before the rule: g * unscale * clip_factor, clipped to [-clip_value,
// clip_value], its sign, and coupled decay.
struct gradient_transform {
  double unscale, clip_factor, clip_value, decay;
  bool maximize;

  GS_HD bool is_identity() const {
    return unscale == 1 && clip_factor == 1 && clip_value == no_limit && decay == 0 && !maximize;
  }
};

struct update_constants {
  double rate, decay_factor, decay_factor_if_opposed;
  gradient_transform gradient;
  bool transforms_gradient;  // it does something
  double average_weight;
  alignas(16) unsigned char rule[constants_bytes];
};

// Makes the constants of an update that come from the options; the rule has made its own from `now`.
// `unscale` and `clip_factor` multiply the gradients. Takes the product of the average's decays a step
// further.
GS_HD void make_constants(update_constants& made, const step_options& options, step_context& now,
                          double unscale, double clip_factor) {
  made.rate = now.rate;
  made.decay_factor = now.decay_factor;
  made.decay_factor_if_opposed = now.cautious ? 1 : now.decay_factor;
  made.gradient = {unscale, clip_factor, options.clip_value, now.coupled_decay, options.maximize};
  made.transforms_gradient = !made.gradient.is_identity();
  made.average_weight = options.average_weight(now);
}

}  // namespace gradstep
