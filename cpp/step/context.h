// The step context of one tensor: its time, the group's numbers, and the numbers that its rule keeps and has
// measured. It is the input and output of a rule's `at`.
#pragma once

#include <cstdint>

#include "numeric/portable.h"

namespace gradstep {

constexpr int kept_limit = 4;

// The arrays that a rule measures; it always reads the gradient.
constexpr unsigned measured_parameter = 1;
GS_HD constexpr unsigned measured_state(int k) { return 2u << k; }

struct step_context {
  int64_t t;                // this update, counted from 1
  double lr;                // the group's learning rate
  double rate;              // what multiplies the direction: starts as lr, a rule may change it
  double weight_decay;      // the group's
  double coupled_decay;     // what of it is added to the gradient: all or nothing
  double decay;             // the part of p that is taken off before: lr * weight_decay if decoupled, else 0
  bool cautious;            // only where the update has the sign of p
  double decay_factor;      // what multiplies p before: starts as 1 - decay
  bool fresh;               // the states were made for this update
  double average_product;   // of the decays of the parameter's average
  double kept[kept_limit];  // numbers that a rule keeps per tensor from step to step
  double elements;          // for a rule that measures: of the tensor
  double measured[2];       // and its sums, which are 0 until they have been formed
};

}  // namespace gradstep
