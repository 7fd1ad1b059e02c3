// Other times: what a curve sees as t when it is moved, or when its own end has passed.
#pragma once

#include "numeric/transcendental.h"
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

// A time that takes as long but goes by the power of its share: steps (t / steps)^power.
struct bend {
  double steps, power;
  template <class Exponent>
  GS_HD double operator()(double t, Exponent exponent) const {
    return steps * raise(t / steps, exponent);
  }
};

// The part of its cycle that has passed at t, from 0 to 1. A cycle lasts from one start to the next; `gap`
// of its steps are left over after the 1.
struct restart {
  double gap;
  const double* starts;
  int cycles;
  static constexpr int least_numbers = 3;
  GS_HD static restart read(const double* numbers, int count) { return {numbers[0], numbers + 1, count - 2}; }
  GS_HD double operator()(double t) const {
    const double* const start = starts + int(reached(starts + 1, cycles - 1, t));
    return (t - start[0]) / (start[1] - start[0] - gap);
  }
};

// The number of boundaries that t has reached.
struct stairs {
  const double* boundaries;
  int count;
  static constexpr int least_numbers = 0;
  GS_HD static stairs read(const double* numbers, int count) { return {numbers, count}; }
  GS_HD double operator()(double t) const { return select(t != t, t, reached(boundaries, count, t)); }
};

// The end moves to the next multiple of `steps` that t has not passed.
struct lengthen {
  double steps;
  GS_HD double operator()(double t) const { return t / maximum(1.0, ceil_ratio(t, steps)); }
};

}  // namespace gradstep::GS_TARGET::schedules
