// The report of a step.
#pragma once

#include <cmath>
#include <limits>

#include "step/sums.h"

namespace gradstep {

// The results of the last step. Norms are over all tensors, and NaN where they were not formed.
struct step_report {
  bool has_stats = false, skipped = false;
  double gradient_norm = 0, update_norm = std::numeric_limits<double>::quiet_NaN(),
         parameter_norm = std::numeric_limits<double>::quiet_NaN(), nonfinite = 0;

  void take_gradients(const sums& all) {
    nonfinite = all.nonfinite;
    gradient_norm = std::sqrt(all.gradient);
  }
  void take_change(const sums& all) {
    has_stats = true;
    update_norm = std::sqrt(all.change);
    parameter_norm = std::sqrt(all.parameter);
  }
};

}  // namespace gradstep
