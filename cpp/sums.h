// What is summed over the elements of a tensor, and how parts are added.
#pragma once

#include <cstdint>

#include "device.h"

namespace gradstep {

constexpr int64_t leaf_elements = 4096;  // chunks start at multiples of it

// Sums of squares, a count, and what the rule measured.
struct sums {
  double gradient = 0, nonfinite = 0, change = 0, parameter = 0;
  double rule[2] = {};

  GS_ANYWHERE void take_gradient(const sums& from) { gradient = from.gradient, nonfinite = from.nonfinite; }
  GS_ANYWHERE void take_change(const sums& from) { change = from.change, parameter = from.parameter; }
  GS_ANYWHERE void take_rule(const sums& from) { rule[0] = from.rule[0], rule[1] = from.rule[1]; }
};

GS_ANYWHERE sums operator+(const sums& a, const sums& b) {
  return {a.gradient + b.gradient,
          a.nonfinite + b.nonfinite,
          a.change + b.change,
          a.parameter + b.parameter,
          {a.rule[0] + b.rule[0], a.rule[1] + b.rule[1]}};
}

}  // namespace gradstep
