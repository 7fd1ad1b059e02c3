// Curves that go down from `init` (or stay), each by its formula.
#pragma once

#include "numeric/math.h"
#include "numeric/transcendental.h"
#include "schedules/progress.h"

namespace gradstep::GS_TARGET::schedules {

// The same value at every step; none where there is no time.
struct constant {
  double value;
  GS_HD double operator()(double t) const { return select(t != t, t, value); }
};

// Linear from init to end.
struct linear {
  double init, end, steps;
  GS_HD double operator()(double t) const { return lerp(init, end, t / steps); }
};

// end + (init - end) (1 - t / steps)^power.
struct polynomial_decay {
  double init, steps, end, power;
  template <class Exponent>
  GS_HD double operator()(double t, Exponent exponent) const {
    return lerp(end, init, raise((steps - t) / steps, exponent));
  }
};

// init rate^(t / steps).
struct exponential_decay {
  double init, rate, steps;
  GS_HD double operator()(double t) const { return init * growth(rate, t / steps); }
};

// init e^(-rate t / steps).
struct natural_exp_decay {
  double init, rate, steps;
  GS_HD double operator()(double t) const { return init * exp(-rate * t / steps); }
};

// init rate^floor(t / steps).
struct step_decay {
  double init, steps, rate;
  GS_HD double operator()(double t) const { return init * growth(rate, floor_ratio(t, steps)); }
};

// end + (init - end) (1 - p) / (1 - p / 2) with p = t / steps: Chen et al. 2021, arXiv:2107.04197.
struct rex {
  double init, steps, end;
  GS_HD double operator()(double t) const { return lerp(end, init, (steps - t) / (steps - t * 0.5)); }
};

// end + (init - end) (1 - tanh(x)) / 2, where x goes from lower to upper: Hsueh et al. 2018,
// arXiv:1806.01593, equation 4.
struct tanh_decay {
  double init, steps, end, lower, upper;
  GS_HD double operator()(double t) const {
    return lerp(end, init, (1 - tanh(lerp(lower, upper, t / steps))) * 0.5);
  }
};

// limit / (1 + e^(-rate (t - center))).
struct sigmoid {
  double limit, rate, center;
  GS_HD double operator()(double t) const { return limit / (1 + exp(-rate * (t - center))); }
};

}  // namespace gradstep::GS_TARGET::schedules
