// The bits of a float, and the rounding of a double to fewer bits than a float has.
#pragma once

#include <cstdint>

#include "numeric/math.h"

namespace gradstep::GS_TARGET {

GS_HD uint32_t bits_of(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}
GS_HD float float_of(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

// A double as the float that a further rounding can start from: inexact results get an odd last bit, so
// that rounding twice equals rounding once.
GS_HD float round_to_odd(double x) {
  const float nearest = float(x);
  const double back = double(nearest);
  if (back == x || x != x || (bits_of(nearest) & 1)) return nearest;
  const bool away = abs(back) > abs(x);
  return float_of(away ? bits_of(nearest) - 1 : bits_of(nearest) + 1);
}

}  // namespace gradstep::GS_TARGET
