// Another value at each multiple of `period`.
#pragma once

#include "schedules/progress.h"

namespace gradstep::GS_TARGET::schedules {

struct every {
  double period, value;
  GS_HD double operator()(double t, double otherwise) const {
    return select(remainder(t, period) == 0, value, otherwise);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
