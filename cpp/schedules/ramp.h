// Warmup: (t + offset) / steps of the way from start to the curve, and the curve itself from there on.
#pragma once

#include "../math.h"

namespace gradstep::GS_TARGET::schedules {

struct ramp {
  double steps, start, offset;
  GS_HD double operator()(double t, double curve) const {
    const double way = (t + offset) / steps;
    return select(way < 1, lerp(start, curve, way), curve);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
