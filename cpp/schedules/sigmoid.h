// limit / (1 + e^(-rate (t - center))).
#pragma once

#include "numeric/transcendental.h"

namespace gradstep::GS_TARGET::schedules {

struct sigmoid {
  double limit, rate, center;
  GS_HD double operator()(double t) const { return limit / (1 + exp(-rate * (t - center))); }
};

}  // namespace gradstep::GS_TARGET::schedules
