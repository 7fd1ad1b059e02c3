// end + (init - end) (1 + cos(pi t / steps)) / 2: Loshchilov and Hutter 2016, arXiv:1608.03983, equation 5.
#pragma once

#include "numeric/angles.h"

namespace gradstep::GS_TARGET::schedules {

struct cosine_decay {
  double init, steps, end;
  GS_HD double operator()(double t) const { return lerp(end, init, (1 + cospi(t / steps)) * 0.5); }
};

}  // namespace gradstep::GS_TARGET::schedules
