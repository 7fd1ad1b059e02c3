// A tensor's time: its number of updates, and the numbers of its state that record it.
#pragma once

#include <vector>

#include "step/tensor_clock.h"

namespace gradstep {

// Invariant: on the host the numbers of the state are the truth, so that a saved state is the whole state;
// `t` is a copy from when they were last advanced. Once a tensor's clock is on a device, the device advances
// it there.
struct tensor_time {
  std::vector<scalar_ref> numbers;  // t, then those that the rule keeps
  scalar_ref average_product{};     // of the decays so far, where the average is corrected
  int64_t t = 0;                    // updates applied so far
  bool fresh = true;                // none since the states were made
  bool on_device = false;

  tensor_clock clock() const { return {numbers.data(), int(numbers.size()), average_product}; }
  step_context next_update() const { return clock().next(t, fresh); }

  void advance(const step_context& update) {
    t = update.t;
    fresh = false;
    clock().set(update);
  }
};

}  // namespace gradstep
