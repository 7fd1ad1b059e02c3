// init rate^(t / steps).
#pragma once

#include "progress.h"

namespace gradstep::GS_TARGET::schedules {

struct exponential_decay {
  double init, rate, steps, staircase;
  GS_HD double operator()(double t) const { return init * pow(rate, progress(t, steps, staircase)); }
};

}  // namespace gradstep::GS_TARGET::schedules
