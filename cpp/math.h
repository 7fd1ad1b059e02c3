// The functions that a rule or a schedule may call, for float, double and, on the CPU, vectors of them.
//
// Everything here is IEEE arithmetic, rounded to nearest even, with `fma` only where it is written, so a
// rule gives the same bits in every lane of every target. The primitives of a vector are in cpu/vec.h.
#pragma once

#if defined(__CUDACC__)
#define GS_HD __host__ __device__ __forceinline__
#else
#define GS_HD inline __attribute__((always_inline))
#endif

// Code that is compiled once per target lives in a namespace of that target's name: the linker must never
// be able to keep one target's body of an inline function for all of them.
#ifndef GS_TARGET
#error "include this from a file that is compiled for one target (GS_TARGET)"
#endif

namespace gradstep::GS_TARGET {

GS_HD float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
GS_HD double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
GS_HD float sqrt(float x) { return __builtin_sqrtf(x); }
GS_HD double sqrt(double x) { return __builtin_sqrt(x); }
GS_HD float abs(float x) { return __builtin_fabsf(x); }
GS_HD double abs(double x) { return __builtin_fabs(x); }
GS_HD float select(bool condition, float yes, float no) { return condition ? yes : no; }
GS_HD double select(bool condition, double yes, double no) { return condition ? yes : no; }

}  // namespace gradstep::GS_TARGET

#if !defined(__CUDACC__)
#include "cpu/vec.h"
#endif

namespace gradstep::GS_TARGET {

// The larger of the two; NaN if either is NaN, as torch.maximum.
template <class V>
GS_HD V maximum(V a, V b) {
  return select(a != a, a, select(a > b, a, b));
}

template <class V>
GS_HD V minimum(V a, V b) {
  return select(a != a, a, select(a < b, a, b));
}

// -1, 0 or 1; sign(0) is 0 and NaN stays NaN.
template <class V>
GS_HD V sign(V x) {
  return select(x > V(0), V(1), select(x < V(0), V(-1), x));
}

// a + weight * (b - a), measured from the nearer end: the result is exact at a weight of 0 and of 1, and the
// rounding error scales with the smaller of the two weights. `weight` must be the small difference itself
// (1 - beta formed in double), not a beta rounded to float.
template <class V, class T>
GS_HD V lerp(V a, V b, T weight) {
  if (weight < T(0.5)) return fma(V(weight), b - a, a);
  return fma(V(weight - T(1)), b - a, b);
}

}  // namespace gradstep::GS_TARGET
