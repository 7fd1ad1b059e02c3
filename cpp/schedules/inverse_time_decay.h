// init / (1 + rate t / steps)^power.
#pragma once

#include "progress.h"

namespace gradstep::GS_TARGET::schedules {

struct inverse_time_decay {
  double init, rate, steps, power, staircase;
  GS_HD double operator()(double t) const {
    return init / pow(fma(rate, progress(t, steps, staircase), 1.0), power);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
