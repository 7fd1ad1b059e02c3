// On straight lines through the points (steps[i], values[i]); the last line goes on.
#pragma once

#include "schedules/progress.h"

namespace gradstep::GS_TARGET::schedules {

struct piecewise_linear {
  const double *steps, *values;
  int lines;
  static constexpr int least_numbers = 4;
  GS_HD static piecewise_linear read(const double* numbers, int count) {
    return {numbers, numbers + count / 2, count / 2 - 1};
  }
  GS_HD double operator()(double t) const {
    const int i = int(reached(steps + 1, lines - 1, t));
    const double way = (t - steps[i]) / (steps[i + 1] - steps[i]);
    return lerp(values[i], values[i + 1], maximum(way, 0.0));
  }
};

}  // namespace gradstep::GS_TARGET::schedules
