// Curves of a cosine.
#pragma once

#include "numeric/angles.h"

namespace gradstep::GS_TARGET::schedules {

// end + (init - end) (1 + cos(pi t / steps)) / 2: Loshchilov and Hutter 2016, arXiv:1608.03983, equation 5.
struct cosine_decay {
  double init, steps, end;
  GS_HD double operator()(double t) const { return lerp(end, init, (1 + cospi(t / steps)) * 0.5); }
};

// init ((alpha + 1 - p) (1 + cos(2 pi cycles p)) / 2 + beta) with p = t / steps: Bello et al. 2017,
// arXiv:1709.07417.
struct linear_cosine {
  double init, steps, cycles, alpha, beta;
  GS_HD double operator()(double t) const {
    const double cosine = (1 + cospi(2 * cycles * t / steps)) * 0.5;
    return init * fma(alpha + (steps - t) / steps, cosine, beta);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
