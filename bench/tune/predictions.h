// Predicted times of the variants on an H100 and an H200, written before their first run.
//
// A launch takes the time of its bytes at the copy's speed, over the share of that speed that it reaches, and
// a fixed time. The shares are those of the runs before (README.md): a block that takes little is faster.
#pragma once

#include "variant.h"

namespace gradstep::GS_TARGET::tune {

constexpr double h100_copy = 3.0e6, h200_copy = 4.24e6;  // bytes per us

// Of the copy's speed.
struct shares {
  range h100, h200;
};

constexpr shares full_speed = {{0.96, 1.0}, {0.95, 1.0}};
constexpr shares f32_update = {{0.96, 1.0}, {0.95, 1.0}};
// Bound by instructions: 240 us of them at 124 M, and more where an array's type is asked for.
constexpr shares bf16_update = {{0.88, 0.98}, {0.75, 0.95}};
constexpr shares bf16_alone = {{0.92, 1.0}, {0.85, 0.97}};

constexpr range time_of(double bytes, double speed, range share, range fixed) {
  return range{bytes / speed / share.high, bytes / speed / share.low} + fixed;
}
constexpr prediction predict(double bytes, const shares& reached, range fixed) {
  return {time_of(bytes, h100_copy, reached.h100, fixed), time_of(bytes, h200_copy, reached.h200, fixed)};
}

// Of prepare_kernel: its loads depend on each other; beyond 256 tensors the last block has to wait for
// others.
inline range prepare_time(const plan& on) {
  return on.view().tensor_count <= block_threads ? range{9, 13} : range{12, 18};
}

}  // namespace gradstep::GS_TARGET::tune
