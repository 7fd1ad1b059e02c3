// A time that takes as long but goes by the power of its share: steps (t / steps)^power.
#pragma once

#include "../transcendental.h"

namespace gradstep::GS_TARGET::schedules {

struct bend {
  double steps, power;
  GS_HD double operator()(double t) const { return steps * pow(t / steps, power); }
};

}  // namespace gradstep::GS_TARGET::schedules
