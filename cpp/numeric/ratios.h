// The whole part of a ratio and what it leaves, exact although the ratio is rounded.
#pragma once

#include "numeric/transcendental.h"

namespace gradstep::GS_TARGET {

// floor(t / n): the nearest integer, less one where that is above t / n, which fma tells without rounding.
GS_HD double floor_ratio(double t, double n) {
  const double nearest = round(t / n);
  return nearest - select(fma(-nearest, n, t) < 0, 1.0, 0.0);
}

GS_HD double ceil_ratio(double t, double n) { return -floor_ratio(-t, n); }

GS_HD double remainder(double t, double n) { return fma(-floor_ratio(t, n), n, t); }

}  // namespace gradstep::GS_TARGET
