// The end moves to the next multiple of `steps` that t has not passed.
#pragma once

#include "schedules/progress.h"

namespace gradstep::GS_TARGET::schedules {

struct lengthen {
  double steps;
  GS_HD double operator()(double t) const { return t / maximum(1.0, ceil_ratio(t, steps)); }
};

}  // namespace gradstep::GS_TARGET::schedules
