// init rate^floor(t / steps).
#pragma once

#include "schedules/progress.h"

namespace gradstep::GS_TARGET::schedules {

struct step_decay {
  double init, steps, rate;
  GS_HD double operator()(double t) const { return init * growth(rate, floor_ratio(t, steps)); }
};

}  // namespace gradstep::GS_TARGET::schedules
