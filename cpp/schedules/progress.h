// How far along a step is.
#pragma once

#include "numeric/ratios.h"

namespace gradstep::GS_TARGET::schedules {

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
