// The same value at every step; none where there is no time.
#pragma once

#include "numeric/math.h"

namespace gradstep::GS_TARGET::schedules {

struct constant {
  double value;
  GS_HD double operator()(double t) const { return select(t != t, t, value); }
};

}  // namespace gradstep::GS_TARGET::schedules
