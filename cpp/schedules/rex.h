// end + (init - end) (1 - p) / (1 - p / 2) with p = t / steps: Chen et al. 2021, arXiv:2107.04197.
#pragma once

#include "numeric/math.h"

namespace gradstep::GS_TARGET::schedules {

struct rex {
  double init, steps, end;
  GS_HD double operator()(double t) const { return lerp(end, init, (steps - t) / (steps - t * 0.5)); }
};

}  // namespace gradstep::GS_TARGET::schedules
