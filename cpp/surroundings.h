// What surrounds the rule in a group's steps, and the numbers that follow from it.
#pragma once

#include <limits>

#include "clock.h"
#include "device.h"

namespace gradstep {

constexpr double no_limit = std::numeric_limits<double>::infinity();

enum class decay_kind {
  coupled,    // decay * p is added to the gradient
  decoupled,  // p shrinks by rate * decay
  full,       // by rate / full_rate * decay
  corrected,  // by rate^2 / full_rate * decay
};

struct surroundings {
  decay_kind decay = decay_kind::coupled;
  double full_lr = 0;
  bool cautious = false;  // p shrinks only where the update has its sign
  bool maximize = false;
  double clip_norm = no_limit;
  bool clip_alone = false;  // by this group's norm, not by that of all groups
  double clip_value = no_limit;
  bool averages = false, corrects_average = false;
  double average_decay = 0;
  bool copies = false;
  bool zero_gradient = false;

  GS_ANYWHERE double shrinkage(double lr, double weight_decay) const {
    switch (decay) {
      case decay_kind::coupled:
        return 0;
      case decay_kind::decoupled:
        return lr * weight_decay;
      case decay_kind::full:
        return lr / full_lr * weight_decay;
      case decay_kind::corrected:
        return lr * (lr / full_lr) * weight_decay;
    }
    return 0;
  }

  // Completes a tensor's time by what its group asks for.
  GS_ANYWHERE void complete(clock& now, double lr, double weight_decay) const {
    now.lr = now.rate = lr;
    now.weight_decay = weight_decay;
    now.coupled_decay = decay == decay_kind::coupled ? weight_decay : 0;
    now.decay = shrinkage(lr, weight_decay);
    now.keep = 1 - now.decay;
    now.cautious = cautious;
  }

  // The weight of the new parameter in its average. Corrected, the average starts as the first parameter and
  // is what an average that starts at zero would be after its division by 1 - product.
  GS_ANYWHERE double average_weight(clock& now) const {
    const double weight = 1 - average_decay;
    if (!corrects_average) return weight;
    now.average_product *= average_decay;
    return weight == 0 ? 0 : weight / (1 - now.average_product);
  }

  // What multiplies gradients of this norm: min(1, limit / (norm + 1e-6)), as torch clips; NaN stays NaN.
  GS_ANYWHERE double shrink(double norm) const {
    if (clip_norm == no_limit) return 1;
    const double by = clip_norm / (norm + 1e-6);
    return by > 1 ? 1 : by;
  }
};

}  // namespace gradstep
