// end + (init - end) (1 - tanh(x)) / 2, where x goes from lower to upper: Hsueh et al. 2018,
// arXiv:1806.01593, equation 4.
#pragma once

#include "numeric/transcendental.h"

namespace gradstep::GS_TARGET::schedules {

struct tanh_decay {
  double init, steps, end, lower, upper;
  GS_HD double operator()(double t) const {
    return lerp(end, init, (1 - tanh(lerp(lower, upper, t / steps))) * 0.5);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
