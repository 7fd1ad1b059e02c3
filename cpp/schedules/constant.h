// The same value at every step.
#pragma once

#include "../math.h"

namespace gradstep::GS_TARGET::schedules {

struct constant {
  double value;
  GS_HD double operator()(double) const { return value; }
};

}  // namespace gradstep::GS_TARGET::schedules
