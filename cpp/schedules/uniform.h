// At random between low and high.
#pragma once

#include "numeric/philox.h"

namespace gradstep::GS_TARGET::schedules {

struct uniform {
  double low, high, seed;
  GS_HD double operator()(double t) const { return lerp(low, high, random_fraction(seed, t)); }
};

}  // namespace gradstep::GS_TARGET::schedules
