// The functions that a rule or a schedule may call, for float, double and, on the CPU, vectors of them.
//
// Everything here is IEEE arithmetic, rounded to nearest even, with `fma` only where it is written, so a
// rule gives the same bits in every lane of every target. The primitives of a vector are in vec.h.
#pragma once

#include <limits>
#include <type_traits>

#include "numeric/portable.h"

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

// True if a number may be infinite or NaN, which it hardly ever is: registers branch on it, and single
// numbers select, so that loops over them stay free of branches.
GS_HD constexpr bool may_be_lost(float) { return true; }
GS_HD constexpr bool may_be_lost(double) { return true; }

}  // namespace gradstep::GS_TARGET

#if !defined(__CUDACC__)
#include "numeric/vec.h"
#endif

namespace gradstep::GS_TARGET {

// Of the finite numbers; as constants, for a device calls no function of the standard library.
template <class T>
struct range_of {
  static constexpr T largest = std::numeric_limits<T>::max();
  static constexpr T least_normal = std::numeric_limits<T>::min();
  static constexpr T least = std::numeric_limits<T>::denorm_min();      // above 0
  static constexpr T half_ulp = std::numeric_limits<T>::epsilon() / 2;  // of 1
};

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

template <class V>
GS_HD auto is_infinite_or_nan(V x) {
  return x - x != V(0);
}

// Weighs what is kept of the past. At a weight of 0 it is forgotten, an infinity too.
template <class V, class T>
GS_HD V fade(V was, T weight) {
  return weight == T(0) ? V(T(0)) : V(weight) * was;
}

// keep * v + w * g^2, infinite where that is too large: the element rests then, for its direction is divided
// by the root.
template <class V, class T>
GS_HD V mean_square(V v, V g, T keep, T w) {
  return fma(V(w) * g, g, fade(v, keep));
}

// An eps that is added to a root, above 0 so that nothing is divided by 0: too small to change any other root
// than 0.
template <class T>
GS_HD T above_zero(double eps) {
  return T(eps) == T(0) ? range_of<T>::least_normal : T(eps);
}

// x within -limit and limit; NaN stays.
template <class V>
GS_HD V clamp(V x, V limit) {
  return select(x > limit, limit, select(x < -limit, -limit, x));
}

template <class Mask, class... Masks>
GS_HD Mask any(Mask first, Masks... rest) {
  if constexpr (sizeof...(rest) == 0)
    return first;
  else if constexpr (std::is_same_v<Mask, bool>)
    return first || any(rest...);
  else
    return first | any(rest...);
}

// x, which was made of others of type T, but no infinity where they are finite.
template <class T, class V, class... Others>
GS_HD V stay_finite(V x, Others... of) {
  if (!may_be_lost(x)) return x;
  return select(any(is_infinite_or_nan(of)...), x, clamp(x, V(range_of<T>::largest)));
}

// (a * x + y) / by, where the sum may overflow though x and y do not: an infinite `by` lets the element rest.
template <class V>
GS_HD V divide_sum(V a, V x, V y, V by) {
  const V sum = fma(a, x, y);
  if (!may_be_lost(sum)) return sum / by;
  const auto lost = is_infinite_or_nan(sum);
  const V less = V(0x1p-32f);
  return select(lost, fma(a, x * less, y * less), sum) / select(lost, by * less, by);
}

// Returns what `lerp` found, unless b - a overflows and what lies between the two does not.
template <class V, class T>
GS_RARE V lerp_far(V a, V b, T weight, V found) {
  const bool starts_at_a = weight < T(0.5);
  const V part = V(starts_at_a ? weight : weight - T(1)), start = starts_at_a ? a : b;
  const V half = V(T(0.5)), halved = fma(part, b * half - a * half, start * half);
  return select(is_infinite_or_nan(b - a), halved + halved, found);
}

// a + weight * (b - a), measured from the nearer end: the result is exact at a weight of 0 and of 1, and the
// rounding error scales with the smaller of the two weights. `weight` must be the small difference itself
// (1 - beta formed in double), not a beta rounded to float.
template <class V, class T>
GS_HD V lerp(V a, V b, T weight) {
  const V way = b - a;
  const V found = weight < T(0.5) ? fma(V(weight), way, a) : fma(V(weight - T(1)), way, b);
  return may_be_lost(found) ? lerp_far(a, b, weight, found) : found;
}

}  // namespace gradstep::GS_TARGET
