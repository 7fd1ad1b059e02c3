// Values given one by one, or at points that lines join.
#pragma once

#include "numeric/math.h"
#include "schedules/progress.h"

namespace gradstep::GS_TARGET::schedules {

// values[t]; the last one holds.
struct table {
  const double* values;
  int last;
  static constexpr int least_numbers = 1;
  GS_HD static table read(const double* numbers, int count) { return {numbers, count - 1}; }
  GS_HD double operator()(double t) const {
    const double inside = select(t < last, t, double(last));  // for a NaN, too
    return select(t != t, t, values[int(inside)]);
  }
};

// Linear interpolation through the points (steps[i], values[i]); the last line continues.
struct piecewise_linear {
  const double *steps, *values;
  int lines;
  static constexpr int least_numbers = 4;
  GS_HD static piecewise_linear read(const double* numbers, int count) {
    return {numbers, numbers + count / 2, count / 2 - 1};
  }
  GS_HD double operator()(double t) const {
    const int i = int(reached(steps + 1, lines - 1, t));
    const double fraction = (t - steps[i]) / (steps[i + 1] - steps[i]);
    return lerp(values[i], values[i + 1], maximum(fraction, 0.0));
  }
};

// From 0 to 1 in `up` steps and back in `down` steps, again and again.
struct triangle {
  double up, down;
  GS_HD double operator()(double t) const {
    const double phase = remainder(t, up + down);
    return minimum(phase / up, (up + down - phase) / down);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
