// RAdam: Liu et al. 2020, arXiv:1908.03265, Algorithm 2, with torch's threshold of 5 where the paper has 4;
// below it the step is not normalised. eps is not scaled by the bias correction.
#ifndef GS_RULES_RADAM_H
#define GS_RULES_RADAM_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct radam {
  struct hyper {
    double beta1, beta2, eps;
  };
  static constexpr const char* hyper_names[] = {"beta1", "beta2", "eps"};
  static constexpr int states = 2;

  T w1, b2, w2;  // weights of the moments
  T eps;
  bool rectified;

  GS_HD static radam at(const hyper& h, step_context& c) {
    const double correction2 = one_minus_power(h.beta2, c.t);
    const double limit = 2 / (1 - h.beta2) - 1;
    const double length = limit - 2 * double(c.t) * (1 - correction2) / correction2;
    const bool rectified = length > 5;
    c.rate /= one_minus_power(h.beta1, c.t);
    if (rectified)
      c.rate *=
          sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length) * correction2);
    return {T(1 - h.beta1), T(h.beta2), T(1 - h.beta2), above_zero<T>(h.eps), rectified};
  }

  template <class V>
  GS_HD V operator()(V g, V& m, V& v) const {
    m = lerp(m, g, w1);
    v = mean_square(v, g, b2, w2);
    if (!rectified) return m;
    return m / (sqrt(v) + V(eps));
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(radam)
#endif
