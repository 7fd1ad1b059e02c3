// Warmup: how much of the way has been gone, the shapes that the way may have, and where it leads.
#pragma once

#include "numeric/angles.h"

namespace gradstep::GS_TARGET::schedules {

// In equal parts, to 1. A shape takes it from 0 to 1 by another curve; both ends are exact.
struct way {
  double steps, offset;
  GS_HD double operator()(double t) const { return minimum((t + offset) / steps, 1.0); }
};

// All at once, at its end.
struct constant_way {
  GS_HD double operator()(double, double way) const { return select(way < 1, 0.0, 1.0); }
};

// ln(1 + t) / ln(1 + steps) at an offset of 0.
struct log_way {
  double steps;
  GS_HD double operator()(double, double way) const { return log(fma(steps, way, 1.0)) / log(1 + steps); }
};

struct cosine_way {
  GS_HD double operator()(double, double way) const { return (1 - cospi(way)) * 0.5; }
};

struct sqrt_way {
  GS_HD double operator()(double, double way) const { return 1 - sqrt(1 - way); }
};

// In place of a way and its shape: it comes closer to 1 for ever.
struct exponential_way {
  double steps, offset;
  GS_HD double operator()(double t) const { return 1 - exp(-(t + offset) / steps); }
};

// The curve, or as much of the way from start to it as has been gone.
struct toward {
  double start;
  GS_HD double operator()(double, double curve, double way) const {
    return select(way < 1, lerp(start, curve, way), curve);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
