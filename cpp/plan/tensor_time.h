// A tensor's own time: how many updates it has had, and the numbers of its state that tell so.
#pragma once

#include <vector>

#include "step/tensor_clock.h"

namespace gradstep {

// Invariant: on the host the numbers of the state are the truth, so that a saved state is the whole state;
// `t` is what they said when they were last advanced. Once a device has taken a tensor's time up, it advances
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
