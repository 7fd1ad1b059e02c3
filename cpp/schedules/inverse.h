// Curves that fall as one over the time or its root.
#pragma once

#include "numeric/math.h"
#include "numeric/transcendental.h"

namespace gradstep::GS_TARGET::schedules {

// init / (1 + rate t / steps)^power.
struct inverse_time_decay {
  double init, rate, steps, power;
  template <class Exponent>
  GS_HD double operator()(double t, Exponent exponent) const {
    return init / raise(fma(rate, t / steps, 1.0), exponent);
  }
};

// init / sqrt(1 + (t + shift) / timescale).
struct inverse_sqrt_decay {
  double init, timescale, shift;
  GS_HD double operator()(double t) const { return init / sqrt(1 + (t + shift) / timescale); }
};

// scale / sqrt(d_model) min(1 / sqrt(n), n / warmup^1.5) for the n-th update: Vaswani et al. 2017,
// arXiv:1706.03762, equation 3.
struct noam {
  double d_model, warmup, scale;
  GS_HD double operator()(double t) const {
    const double n = t + 1;
    return scale / sqrt(d_model) * minimum(1 / sqrt(n), n / (warmup * sqrt(warmup)));
  }
};

}  // namespace gradstep::GS_TARGET::schedules
