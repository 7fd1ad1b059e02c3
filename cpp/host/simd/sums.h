// Sums over a block, as plain loops.
#pragma once

#include "host/simd/target.h"
#include "numeric/prefetch.h"
#include "numeric/transcendental.h"
#include "step/element.h"

namespace gradstep::GS_TARGET {

template <class T>
void add(void* sums, const void* terms, int64_t n) {
  T* const sum = static_cast<T*>(sums);
  const T* const x = static_cast<const T*>(terms);
  for (int64_t i = 0; i < n; ++i) store_one(sum + i, load_one(sum + i) + load_one(x + i));
}

// Of functions of the arrays' elements.
template <class T, class F, class... Arrays>
void sum_in_lanes(double* lanes, int64_t n, const F& f, const Arrays*... arrays) {
  double sums[sum_lanes];
  __builtin_memcpy(sums, lanes, sizeof sums);
  int64_t i = 0;
  for (; i + sum_lanes <= n; i += sum_lanes) {
    (prefetch<sum_lanes>(arrays, i), ...);
    for (int lane = 0; lane < sum_lanes; ++lane) sums[lane] = f(i + lane, sums[lane]);
  }
  for (int lane = 0; i + lane < n; ++lane) sums[lane] = f(i + lane, sums[lane]);
  __builtin_memcpy(lanes, sums, sizeof sums);
}

GS_HD bool all_finite(const double* lanes) {
  uint64_t others = 0;  // x - x is 0 for a finite x, and NaN for any other
  for (int lane = 0; lane < sum_lanes; ++lane) others |= to_bits(lanes[lane] - lanes[lane]);
  return others == 0;
}

// Adds the squares of scale * x, and how many of these are infinite or NaN: none, where the sums are finite.
template <class T>
void add_squares(const void* values, int64_t n, double scale, double* squares, double* nonfinite) {
  const T* const x = static_cast<const T*>(values);
  const T by = T(scale);
  sum_in_lanes<T>(
      squares, n, [=](int64_t i, double sum) { return add_square(sum, load_one(x + i) * by); }, x);
  if (all_finite(squares)) return;
  sum_in_lanes<T>(nonfinite, n,
                  [=](int64_t i, double count) { return add_nonfinite(count, load_one(x + i) * by); });
}

// Adds the squares of x - y.
template <class T>
void add_change(const void* values, const void* others, int64_t n, double* squares) {
  const T* const x = static_cast<const T*>(values);
  const T* const y = static_cast<const T*>(others);
  sum_in_lanes<T>(
      squares, n,
      [=](int64_t i, double sum) {
        return add_square(sum, double(load_one(x + i)) - double(load_one(y + i)));
      },
      x, y);
}

}  // namespace gradstep::GS_TARGET
