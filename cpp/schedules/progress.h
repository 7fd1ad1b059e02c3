// How far along a step is.
#pragma once

#include "../transcendental.h"

namespace gradstep::GS_TARGET::schedules {

// floor(t / n): the nearest integer, less one where that is above t / n, which fma tells without rounding.
GS_HD double floor_ratio(double t, double n) {
  const double nearest = round(t / n);
  return nearest - select(fma(-nearest, n, t) < 0, 1.0, 0.0);
}

GS_HD double ceil_ratio(double t, double n) { return -floor_ratio(-t, n); }

GS_HD double remainder(double t, double n) { return fma(-floor_ratio(t, n), n, t); }

// t in units of n steps; a staircase counts whole units only.
GS_HD double progress(double t, double n, double staircase) {
  return select(staircase != 0, floor_ratio(t, n), t / n);
}

constexpr int few_boundaries = 8;

// How many of the increasing boundaries t has reached: a step that equals one has reached it. A few are
// faster counted, in vectors (hence the fixed number of turns), than searched.
GS_HD double reached(const double* boundaries, int count, double t) {
  if (count <= few_boundaries) {
    double below = 0;
    for (int i = 0; i < few_boundaries; ++i)
      below += select(i < count && boundaries[i < count ? i : 0] <= t, 1.0, 0.0);
    return below;
  }
  int low = 0;
  for (int high = count; low < high;) {
    const int middle = (low + high) / 2;
    if (boundaries[middle] <= t) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace gradstep::GS_TARGET::schedules
