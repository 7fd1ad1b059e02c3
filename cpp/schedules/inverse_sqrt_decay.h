// init / sqrt(1 + (t + shift) / timescale).
#pragma once

#include "numeric/math.h"

namespace gradstep::GS_TARGET::schedules {

struct inverse_sqrt_decay {
  double init, timescale, shift;
  GS_HD double operator()(double t) const { return init / sqrt(1 + (t + shift) / timescale); }
};

}  // namespace gradstep::GS_TARGET::schedules
