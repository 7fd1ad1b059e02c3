// init e^(-rate t / steps).
#pragma once

#include "numeric/transcendental.h"

namespace gradstep::GS_TARGET::schedules {

struct natural_exp_decay {
  double init, rate, steps;
  GS_HD double operator()(double t) const { return init * exp(-rate * t / steps); }
};

}  // namespace gradstep::GS_TARGET::schedules
