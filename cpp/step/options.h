// A group's options: transforms of the gradient before the rule; the average, the copy and the zeros after
// it.
#pragma once

#include <limits>

#include "numeric/portable.h"
#include "step/context.h"

namespace gradstep {

constexpr double no_limit = std::numeric_limits<double>::infinity();

enum class decay_kind {
  coupled,    // decay * p is added to the gradient
  decoupled,  // p shrinks by rate * decay
  full,       // by rate / full_rate * decay
  corrected,  // by rate^2 / full_rate * decay
};

// min(1, limit / (norm + 1e-6)), as torch clips; NaN stays NaN.
GS_HD double clip_factor_for(double limit, double norm) {
  const double by = limit / (norm + 1e-6);
  return by > 1 ? 1 : by;
}

// The weight of the new parameter in a corrected average. That average starts as the first parameter, and
// equals one that starts at zero and is divided by 1 - product. Takes the product of the decays a step
// further.
GS_HD double corrected_average_weight(double decay, double& product) {
  product *= decay;
  return decay == 1 ? 0 : (1 - decay) / (1 - product);
}

struct step_options {
  decay_kind decay = decay_kind::coupled;
  double peak_lr = 0;
  bool cautious = false;  // p shrinks only where the update has its sign
  bool maximize = false;
  double clip_norm = no_limit;
  bool clip_by_group = false;  // by this group's norm, not by that of all groups
  double clip_value = no_limit;
  bool has_ema = false, ema_bias_correction = false;
  double ema = 0;
  bool has_cast_to = false;
  bool zero_grad = false;

  GS_HD double decay_of(double lr, double weight_decay) const {
    switch (decay) {
      case decay_kind::coupled:
        return 0;
      case decay_kind::decoupled:
        return lr * weight_decay;
      case decay_kind::full:
        return lr / peak_lr * weight_decay;
      case decay_kind::corrected:
        return lr * (lr / peak_lr) * weight_decay;
    }
    return 0;
  }

  // Completes a tensor's step context with the group's numbers.
  GS_HD void complete(step_context& now, double lr, double weight_decay) const {
    now.lr = now.rate = lr;
    now.weight_decay = weight_decay;
    now.coupled_decay = decay == decay_kind::coupled ? weight_decay : 0;
    now.decay = decay_of(lr, weight_decay);
    now.decay_factor = 1 - now.decay;
    now.cautious = cautious;
  }

  // The weight of the new parameter in its average.
  GS_HD double average_weight(step_context& now) const {
    return ema_bias_correction ? corrected_average_weight(ema, now.average_product) : 1 - ema;
  }

  // The factor for gradients of this norm.
  GS_HD double clip_factor(double norm) const {
    return clip_norm == no_limit ? 1 : clip_factor_for(clip_norm, norm);
  }
};

}  // namespace gradstep
