// Other times: what a curve sees as t when it is moved, or when its own end has passed.
#pragma once

#include "schedules/progress.h"

namespace gradstep::GS_TARGET::schedules {

// The end holds.
struct hold {
  double length;
  GS_HD double operator()(double t) const { return minimum(t, length); }
};

// Starts over after every `period` steps.
struct repeat {
  double period;
  GS_HD double operator()(double t) const { return remainder(t, period); }
};

// Goes back to the start, then forth again.
struct mirror {
  double length;
  GS_HD double operator()(double t) const {
    const double phase = remainder(t, 2 * length);
    return minimum(phase, 2 * length - phase);
  }
};

// There is no time past the end: NaN, which the caller turns into an error.
struct limit {
  double length;
  GS_HD double operator()(double t) const { return select(t > length, __builtin_nan(""), t); }
};

// Starts `steps` later; until then it waits at its first value.
struct delay {
  double steps;
  GS_HD double operator()(double t) const { return maximum(t - steps, 0.0); }
};

// Goes `factor` times slower; as a staircase it moves only at every factor-th step.
struct stretch {
  double factor, staircase;
  GS_HD double operator()(double t) const { return progress(t, factor, staircase); }
};

// Runs from the start, but shows its first value until `steps`.
struct wait {
  double steps;
  GS_HD double operator()(double t) const { return select(t < steps, 0.0, t); }
};

}  // namespace gradstep::GS_TARGET::schedules
