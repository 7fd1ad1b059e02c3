// Operations that make one value of one or two. NaN (no value at this step) passes through, except from the
// branch that is not taken.
#pragma once

#include "numeric/math.h"
#include "numeric/transcendental.h"
#include "schedules/progress.h"

namespace gradstep::GS_TARGET::schedules {

struct plus {
  GS_HD double operator()(double, double a, double b) const { return a + b; }
};

struct minus {
  GS_HD double operator()(double, double a, double b) const { return a - b; }
};

struct times {
  GS_HD double operator()(double, double a, double b) const { return a * b; }
};

struct over {
  GS_HD double operator()(double, double a, double b) const { return a / b; }
};

struct negative {
  GS_HD double operator()(double, double a) const { return -a; }
};

struct raised {
  double exponent;
  GS_HD double operator()(double, double a) const { return select(a != a, a, pow(a, exponent)); }
};

struct larger {
  GS_HD double operator()(double, double a, double b) const { return maximum(a, b); }
};

struct smaller {
  GS_HD double operator()(double, double a, double b) const { return minimum(a, b); }
};

// Maps low to `at_low` and high to `at_high` linearly; both ends are exact.
struct rescale {
  double low, high, at_low, at_high;
  GS_HD double operator()(double, double a) const {
    return lerp(at_low, at_high, minimum(maximum((a - low) / (high - low), 0.0), 1.0));
  }
};

// The second from step `at` on.
struct then {
  double at;
  GS_HD double operator()(double t, double a, double b) const { return select(t < at, a, b); }
};

// Interpolates from base to a value, by a fraction that is another value.
struct blend {
  double base;
  GS_HD double operator()(double, double value, double weight) const { return lerp(base, value, weight); }
};

// Another value at each multiple of `period`.
struct every {
  double period, value;
  GS_HD double operator()(double t, double otherwise) const {
    return select(remainder(t, period) == 0, value, otherwise);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
