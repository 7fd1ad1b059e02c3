// Values at random, each a function of its step alone.
#pragma once

#include "numeric/philox.h"

namespace gradstep::GS_TARGET::schedules {

// At random between low and high.
struct uniform {
  double low, high, seed;
  GS_HD double operator()(double t) const { return lerp(low, high, random_fraction(seed, t)); }
};

// low (high / low)^u with a random u from 0 to 1.
struct log_uniform {
  double low, high, seed;
  GS_HD double operator()(double t) const { return low * pow(high / low, random_fraction(seed, t)); }
};

}  // namespace gradstep::GS_TARGET::schedules
