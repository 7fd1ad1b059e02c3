// From 0 to 1 in `up` steps and back in `down` steps, again and again.
#pragma once

#include "schedules/progress.h"

namespace gradstep::GS_TARGET::schedules {

struct triangle {
  double up, down;
  GS_HD double operator()(double t) const {
    const double phase = remainder(t, up + down);
    return minimum(phase / up, (up + down - phase) / down);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
