// scale / sqrt(d_model) min(1 / sqrt(n), n / warmup^1.5) for the n-th update: Vaswani et al. 2017,
// arXiv:1706.03762, equation 3.
#pragma once

#include "numeric/math.h"

namespace gradstep::GS_TARGET::schedules {

struct noam {
  double d_model, warmup, scale;
  GS_HD double operator()(double t) const {
    const double n = t + 1;
    return scale / sqrt(d_model) * minimum(1 / sqrt(n), n / (warmup * sqrt(warmup)));
  }
};

}  // namespace gradstep::GS_TARGET::schedules
