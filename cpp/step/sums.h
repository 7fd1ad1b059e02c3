// The sums over a tensor's elements, and how parts are added.
#pragma once

#include <cstdint>

#include "numeric/portable.h"

namespace gradstep {

constexpr int64_t leaf_elements = 4096;  // chunks start at multiples of it
constexpr int sum_lanes = 32;            // element i of a leaf is added to lane i mod 32

// A rule's request for sums before the first write: two over each tensor or over all of them.
struct measurement {
  unsigned reads;     // besides the gradient: measured_parameter, measured_state(k)
  bool over_all;      // tensors of all groups
  bool before_decay;  // the gradient is seen without coupled decay
};

// Sums of squares, a count, and the sums that the rule measures.
struct sums {
  double gradient = 0, nonfinite = 0, change = 0, parameter = 0;
  double rule[2] = {};

  GS_HD void take_gradient(const sums& from) { gradient = from.gradient, nonfinite = from.nonfinite; }
  GS_HD void take_change(const sums& from) { change = from.change, parameter = from.parameter; }
  GS_HD void take_rule(const sums& from) { rule[0] = from.rule[0], rule[1] = from.rule[1]; }
};

GS_HD sums operator+(const sums& a, const sums& b) {
  return {a.gradient + b.gradient,
          a.nonfinite + b.nonfinite,
          a.change + b.change,
          a.parameter + b.parameter,
          {a.rule[0] + b.rule[0], a.rule[1] + b.rule[1]}};
}

}  // namespace gradstep
