// Predicted times of the variants on an H100 and an H200, written before the first run.
//
// A launch takes the time of its bytes at the copy's speed, over the share of that speed that it reaches, and
// a fixed time. The shares follow from the bytes in flight: the copy needs 14 to 18 KB of each processor on
// their way, an update of 2 blocks and 2 packs has 64 KB at its peak and issues for 1.1 us in each 5 us
// (H100) or 3.5 us (H200) of memory time. The tail is a chunk's last half-empty wave.
#pragma once

#include "variant.h"

namespace gradstep::GS_TARGET::tune {

constexpr double h100_copy = 3.0e6, h200_copy = 4.3e6;  // bytes per us

// Of the copy's speed.
struct shares {
  range h100, h200;
};

constexpr shares full_speed = {{0.97, 1.03}, {0.97, 1.03}};
constexpr shares f32_as_it_is = {{0.94, 1.0}, {0.90, 0.98}};
constexpr shares f32_one_way = {{0.95, 1.0}, {0.94, 1.0}};  // with 3 or 4 blocks of 2 packs
// Bound by instructions: 370 us of them at 124 M with conversions by integers, 240 us with the processor's.
constexpr shares bf16_as_it_is = {{0.83, 0.96}, {0.68, 0.82}};
constexpr shares bf16_by_integers = {{0.83, 0.97}, {0.70, 0.85}};
constexpr shares bf16_by_hardware = {{0.92, 1.0}, {0.88, 0.97}};

constexpr range time_of(double bytes, double speed, range share, range fixed) {
  return range{bytes / speed / share.high, bytes / speed / share.low} + fixed;
}
constexpr prediction predict(double bytes, const shares& reached, range fixed) {
  return {time_of(bytes, h100_copy, reached.h100, fixed), time_of(bytes, h200_copy, reached.h200, fixed)};
}
constexpr prediction operator+(const prediction& a, range fixed) { return {a.h100 + fixed, a.h200 + fixed}; }

// A gain of 0.03 takes 3 % off.
constexpr prediction gain(const prediction& from, range gained) {
  const auto scaled = [&](range us) { return range{us.low / (1 + gained.high), us.high / (1 + gained.low)}; };
  return {scaled(from.h100), scaled(from.h200)};
}

// The last blocks' time, by how many parts a chunk is cut into.
constexpr range tail(int parts) {
  return parts == 1 ? range{10, 16} : parts == 2 ? range{5, 9} : range{3, 5};
}

// Of prepare_kernel: its loads depend on each other, in passes of 256 tensors.
inline range prepare_time(const plan& on, bool warm) {
  const bool one_pass = on.view().tensor_count <= block_threads;
  if (warm) return one_pass ? range{5, 10} : range{12, 25};
  return one_pass ? range{8, 15} : range{25, 35};
}
constexpr range launch_gap = {2, 4};  // between two kernels of a stream

}  // namespace gradstep::GS_TARGET::tune
