// init rate^(t / steps).
#pragma once

#include "numeric/transcendental.h"

namespace gradstep::GS_TARGET::schedules {

struct exponential_decay {
  double init, rate, steps;
  GS_HD double operator()(double t) const { return init * growth(rate, t / steps); }
};

}  // namespace gradstep::GS_TARGET::schedules
