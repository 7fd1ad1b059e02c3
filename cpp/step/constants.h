// The numbers of one tensor's update that are the same for all of its elements.
#pragma once

#include "numeric/portable.h"
#include "step/options.h"

namespace gradstep {

constexpr int state_limit = 4;        // arrays of state per parameter
constexpr int constants_bytes = 256;  // a rule's constants of one step

// The gradient on its way to the rule: -limit <= g * unscale * shrink <= limit, its sign, and coupled decay.
struct gradient_stage {
  double unscale, shrink, limit, decay;
  bool maximize;

  GS_HD bool is_plain() const {
    return unscale == 1 && shrink == 1 && limit == no_limit && decay == 0 && !maximize;
  }
};

}  // namespace gradstep
