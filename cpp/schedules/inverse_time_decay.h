// init / (1 + rate t / steps)^power.
#pragma once

#include "numeric/transcendental.h"

namespace gradstep::GS_TARGET::schedules {

struct inverse_time_decay {
  double init, rate, steps, power;
  template <class Exponent>
  GS_HD double operator()(double t, Exponent exponent) const {
    return init / raise(fma(rate, t / steps, 1.0), exponent);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
