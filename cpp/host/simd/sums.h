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

// Calls visit(i, lane) for each element and the lane that it belongs to.
template <class Visit, class... Arrays>
GS_HD void for_each_lane(int64_t n, const Visit& visit, const Arrays*... read) {
  int64_t i = 0;
  for (; i + sum_lanes <= n; i += sum_lanes) {
    (prefetch<sum_lanes>(read, i), ...);
    for (int lane = 0; lane < sum_lanes; ++lane) visit(i + lane, lane);
  }
  for (int lane = 0; i + lane < n; ++lane) visit(i + lane, lane);
}

// Sums on their way, where the compiler can keep them in registers.
struct lane_sums {
  double* lanes;
  double sums[sum_lanes];

  GS_HD explicit lane_sums(double* of) : lanes(of) { __builtin_memcpy(sums, lanes, sizeof sums); }
  GS_HD ~lane_sums() { __builtin_memcpy(lanes, sums, sizeof sums); }
  lane_sums(const lane_sums&) = delete;
};

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
  {
    lane_sums sum(squares);
    for_each_lane(
        n, [&](int64_t i, int lane) { sum.sums[lane] = add_square(sum.sums[lane], load_one(x + i) * by); },
        x);
  }
  if (all_finite(squares)) return;
  lane_sums sum(nonfinite);
  for_each_lane(
      n, [&](int64_t i, int lane) { sum.sums[lane] = add_nonfinite(sum.sums[lane], load_one(x + i) * by); });
}

// Adds the squares of x - y, and those of x. Both lie in L1.
template <class T>
void add_change(const void* values, const void* others, int64_t n, double* changes, double* squares) {
  const T* const x = static_cast<const T*>(values);
  const T* const y = static_cast<const T*>(others);
  lane_sums change(changes), square(squares);
  for_each_lane(n, [&](int64_t i, int lane) {
    const double now = double(load_one(x + i));
    change.sums[lane] = add_square(change.sums[lane], now - double(load_one(y + i)));
    square.sums[lane] = add_square(square.sums[lane], now);
  });
}

}  // namespace gradstep::GS_TARGET
