// The part of its cycle that has passed at t, from 0 to 1. A cycle lasts from one start to the next; `gap`
// of its steps are left over after the 1.
#pragma once

#include "schedules/progress.h"

namespace gradstep::GS_TARGET::schedules {

struct restart {
  double gap;
  const double* starts;
  int cycles;
  static constexpr int least_numbers = 3;
  GS_HD static restart read(const double* numbers, int count) { return {numbers[0], numbers + 1, count - 2}; }
  GS_HD double operator()(double t) const {
    const double* const start = starts + int(reached(starts + 1, cycles - 1, t));
    return (t - start[0]) / (start[1] - start[0] - gap);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
