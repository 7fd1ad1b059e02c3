// As much of the way from base to a value as another value says.
#pragma once

#include "numeric/math.h"

namespace gradstep::GS_TARGET::schedules {

struct blend {
  double base;
  GS_HD double operator()(double, double value, double weight) const { return lerp(base, value, weight); }
};

}  // namespace gradstep::GS_TARGET::schedules
