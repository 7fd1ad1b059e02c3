// What surrounds the rule, as plain loops over a block in L1: the gradient's preparation, averages, sums.
#pragma once

#include "../math.h"
#include "target.h"

namespace gradstep::GS_TARGET {

// Each operation is rounded by itself, so that the stage gives the bits of separate calls. `out` may be the
// gradient itself.
template <class T>
void prepare_gradient(void* out, const void* gradient, const void* parameter, int64_t n,
                      const gradient_stage& stage) {
  T* const to = static_cast<T*>(out);
  const T* const g = static_cast<const T*>(gradient);
  const T* const p = static_cast<const T*>(parameter);
  const T unscale = T(stage.unscale), shrink = T(stage.shrink), limit = T(stage.limit);
  const T sign = stage.maximize ? T(-1) : T(1);
  for (int64_t i = 0; i < n; ++i) {
    to[i] = sign * maximum(minimum(g[i] * unscale * shrink, limit), -limit);
  }
  if (stage.decay == 0) return;
  for (int64_t i = 0; i < n; ++i) to[i] = fma(T(stage.decay), p[i], to[i]);
}

template <class T>
void add(void* sums, const void* terms, int64_t n) {
  T* const sum = static_cast<T*>(sums);
  const T* const x = static_cast<const T*>(terms);
  for (int64_t i = 0; i < n; ++i) sum[i] += x[i];
}

// average += weight * (p - average)
template <class T>
void average(void* averages, const void* parameter, int64_t n, double weight) {
  T* const a = static_cast<T*>(averages);
  const T* const p = static_cast<const T*>(parameter);
  for (int64_t i = 0; i < n; ++i) a[i] = lerp(a[i], p[i], T(weight));
}

template <class T, class F>
void sum_in_lanes(double* lanes, int64_t n, const F& f) {
  double sums[sum_lanes];
  __builtin_memcpy(sums, lanes, sizeof sums);
  int64_t i = 0;
  for (; i + sum_lanes <= n; i += sum_lanes) {
    for (int lane = 0; lane < sum_lanes; ++lane) sums[lane] = f(i + lane, sums[lane]);
  }
  for (int lane = 0; i + lane < n; ++lane) sums[lane] = f(i + lane, sums[lane]);
  __builtin_memcpy(lanes, sums, sizeof sums);
}

// Adds the squares of scale * x, and how many of these are infinite or NaN.
template <class T>
void measure(const void* values, int64_t n, double scale, double* squares, double* nonfinite) {
  const T* const x = static_cast<const T*>(values);
  const T by = T(scale);
  sum_in_lanes<T>(squares, n, [=](int64_t i, double sum) {
    const double value = double(x[i] * by);
    return fma(value, value, sum);
  });
  sum_in_lanes<T>(nonfinite, n, [=](int64_t i, double sum) {
    const T value = x[i] * by;
    return sum + (value - value == 0 ? 0.0 : 1.0);
  });
}

// Adds the squares of x - y.
template <class T>
void measure_change(const void* values, const void* others, int64_t n, double* squares) {
  const T* const x = static_cast<const T*>(values);
  const T* const y = static_cast<const T*>(others);
  sum_in_lanes<T>(squares, n, [=](int64_t i, double sum) {
    const double change = double(x[i]) - double(y[i]);
    return fma(change, change, sum);
  });
}

}  // namespace gradstep::GS_TARGET
