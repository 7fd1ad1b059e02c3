// init rate^(number of milestones that t has reached).
#pragma once

#include "progress.h"

namespace gradstep::GS_TARGET::schedules {

struct multi_step {
  double init, rate;
  const double* milestones;
  int count;
  static constexpr int least_numbers = 2;
  GS_HD static multi_step read(const double* numbers, int count) {
    return {numbers[0], numbers[1], numbers + 2, count - 2};
  }
  GS_HD double operator()(double t) const { return init * pow(rate, double(reached(milestones, count, t))); }
};

}  // namespace gradstep::GS_TARGET::schedules
