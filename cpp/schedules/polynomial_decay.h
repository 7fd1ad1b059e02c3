// end + (init - end) (1 - t / steps)^power. With `cycle`, steps grows to the next multiple that t has not
// passed.
#pragma once

#include "progress.h"

namespace gradstep::GS_TARGET::schedules {

struct polynomial_decay {
  double init, steps, end, power, cycle;
  GS_HD double operator()(double t) const {
    const double cycles = select(cycle != 0, maximum(1.0, ceil_ratio(t, steps)), 1.0);
    const double all = cycles * steps;
    return lerp(end, init, pow((all - t) / all, power));
  }
};

}  // namespace gradstep::GS_TARGET::schedules
