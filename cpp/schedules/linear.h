// From init to end on a straight line.
#pragma once

#include "numeric/math.h"

namespace gradstep::GS_TARGET::schedules {

struct linear {
  double init, end, steps;
  GS_HD double operator()(double t) const { return lerp(init, end, t / steps); }
};

}  // namespace gradstep::GS_TARGET::schedules
