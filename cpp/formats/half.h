// The 16-bit formats: bf16 (the upper half of a float) and f16 (IEEE binary16), one number at a time.
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

GS_HD float bf16_to_float(uint16_t h) { return float_of(uint32_t(h) << 16); }

GS_HD uint16_t float_to_bf16(float x) {
  const uint32_t bits = bits_of(x);
  const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const uint32_t quiet = bits | 0x400000;  // a NaN keeps its sign and stays a NaN
  return uint16_t((x != x ? quiet : rounded) >> 16);
}

GS_HD float f16_to_float(uint16_t h) {
  const uint32_t sign = uint32_t(h & 0x8000) << 16;
  const uint32_t magnitude = h & 0x7fff;
  // As a float with the same fraction the number is too small by 2^112, exactly, subnormals included.
  const float scaled = float_of(magnitude << 13) * 0x1p112f;
  const uint32_t bits = magnitude >= 0x7c00 ? 0x7f800000 | (magnitude & 0x3ff) << 13 : bits_of(scaled);
  return float_of(sign | bits);
}

GS_HD uint16_t float_to_f16(float x) {
  const uint32_t sign = bits_of(x) >> 16 & 0x8000;
  const uint32_t magnitude = bits_of(x) & 0x7fffffff;
  uint32_t half;
  if (magnitude > 0x7f800000) {
    half = 0x7e00 | (magnitude >> 13 & 0x3ff);  // NaN
  } else if (magnitude >= 0x477ff000) {
    half = 0x7c00;  // rounds to infinity
  } else if (magnitude < 0x38800000) {
    // Subnormal: adding 0.5 leaves the result, rounded to even, in the low bits of the sum.
    half = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
  } else {
    half = (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13;
  }
  return uint16_t(sign | half);
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
