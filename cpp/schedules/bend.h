// A time that takes as long but goes by the power of its share: steps (t / steps)^power.
#pragma once

#include "numeric/transcendental.h"

namespace gradstep::GS_TARGET::schedules {

struct bend {
  double steps, power;
  template <class Exponent>
  GS_HD double operator()(double t, Exponent exponent) const {
    return steps * raise(t / steps, exponent);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
