// One tensor's part of a step: what to visit and with which constants, and the walk over a run of its
// elements.
#pragma once

#include "cpu/target.h"
#include "layout.h"

namespace gradstep {

// A rule's constants of this step for all tensors of one group at one time.
struct constants {
  const rule_body* body;
  arithmetic type;
  double rate, keep;
  bool maximize;
  double coupled_decay;
  alignas(16) unsigned char rule[constants_bytes];
};

struct tensor_task {
  operand parameter, gradient;
  operand states[state_limit];
  int state_count = 0;
  const constants* step = nullptr;

  int64_t element_bytes()
      const;  // that a step moves: states and parameter are read and written, the gradient read
};

// Updates `count` elements from the `first` on, in visiting order. Where all that the rule touches lies
// straight in its own arithmetic type this is the rule's loop over the user's memory; where not, blocks that
// stay in L1 are decoded, prepared, updated, encoded and put back, so that every byte still crosses DRAM
// once.
void update_run(const target& on, const tensor_task& task, int64_t first, int64_t count);

}  // namespace gradstep
