// Warmup: the fraction of it that is over, the shapes that this fraction can be given, and the interpolation
// by the result.
#pragma once

#include "numeric/angles.h"

namespace gradstep::GS_TARGET::schedules {

// In equal parts, to 1. A shape takes it from 0 to 1 by another curve; both ends are exact.
struct warmup_fraction {
  double steps, offset;
  GS_HD double operator()(double t) const { return minimum((t + offset) / steps, 1.0); }
};

// All at once, at its end.
struct step_shape {
  GS_HD double operator()(double, double fraction) const { return select(fraction < 1, 0.0, 1.0); }
};

// ln(1 + t) / ln(1 + steps) at an offset of 0.
struct log_shape {
  double steps;
  GS_HD double operator()(double, double fraction) const {
    return log(fma(steps, fraction, 1.0)) / log(1 + steps);
  }
};

struct cosine_shape {
  GS_HD double operator()(double, double fraction) const { return (1 - cospi(fraction)) * 0.5; }
};

struct sqrt_shape {
  GS_HD double operator()(double, double fraction) const { return 1 - sqrt(1 - fraction); }
};

// In place of a fraction and its shape: it approaches 1 and never reaches it.
struct exponential_fraction {
  double steps, offset;
  GS_HD double operator()(double t) const { return 1 - exp(-(t + offset) / steps); }
};

// The curve, or while the warmup lasts an interpolation from start to it.
struct interpolate_from {
  double start;
  GS_HD double operator()(double, double curve, double fraction) const {
    return select(fraction < 1, lerp(start, curve, fraction), curve);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
