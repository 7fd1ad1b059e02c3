// end + (init - end) (1 - t / steps)^power.
#pragma once

#include "numeric/transcendental.h"

namespace gradstep::GS_TARGET::schedules {

struct polynomial_decay {
  double init, steps, end, power;
  template <class Exponent>
  GS_HD double operator()(double t, Exponent exponent) const {
    return lerp(end, init, raise((steps - t) / steps, exponent));
  }
};

}  // namespace gradstep::GS_TARGET::schedules
