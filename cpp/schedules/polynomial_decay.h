// end + (init - end) (1 - t / steps)^power.
#pragma once

#include "../transcendental.h"

namespace gradstep::GS_TARGET::schedules {

struct polynomial_decay {
  double init, steps, end, power;
  GS_HD double operator()(double t) const { return lerp(end, init, raise((steps - t) / steps, power)); }
};

}  // namespace gradstep::GS_TARGET::schedules
