// What makes one value of two. NaN (no value at this step) goes through all but the branch not taken.
#pragma once

#include "../math.h"

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

struct larger {
  GS_HD double operator()(double, double a, double b) const { return maximum(a, b); }
};

struct smaller {
  GS_HD double operator()(double, double a, double b) const { return minimum(a, b); }
};

// The second from step `at` on.
struct then {
  double at;
  GS_HD double operator()(double t, double a, double b) const { return select(t < at, a, b); }
};

}  // namespace gradstep::GS_TARGET::schedules
