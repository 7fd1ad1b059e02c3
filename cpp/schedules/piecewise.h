// values[i] from boundaries[i - 1] on, until boundaries[i].
#pragma once

#include "progress.h"

namespace gradstep::GS_TARGET::schedules {

struct piecewise {
  const double *boundaries, *values;
  int count;
  static constexpr int least_numbers = 1;  // one more value than boundaries
  GS_HD static piecewise read(const double* numbers, int count) {
    const int boundaries = (count - 1) / 2;
    return {numbers, numbers + boundaries, boundaries};
  }
  GS_HD double operator()(double t) const { return values[reached(boundaries, count, t)]; }
};

}  // namespace gradstep::GS_TARGET::schedules
