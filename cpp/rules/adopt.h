// ADOPT: Taniguchi et al. 2024, arXiv:2411.02853, the clipped form: the gradient is normalised by the second
// moment of the steps before it, clipped, and averaged then. The update that finds no states only starts the
// second moment; the bound of the clip grows from the next one on.
#ifndef GS_RULES_ADOPT_H
#define GS_RULES_ADOPT_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct adopt {
  struct hyper {
    double beta1, beta2, eps;
  };
  static constexpr const char* hyper_names[] = {"beta1", "beta2", "eps"};
  static constexpr int states = 2;

  T w1, b2, w2;  // weights of the moments
  T eps, bound;
  bool first;

  GS_HD static adopt at(const hyper& h, step_context& c) {
    const T bound = T(pow(double(c.t - 1), 0.25));
    if (!c.fresh) return {T(1 - h.beta1), T(h.beta2), T(1 - h.beta2), above_zero<T>(h.eps), bound, false};
    c.rate = 0;
    c.decay_factor = 1;
    return {T(0), T(0), T(1), above_zero<T>(h.eps), bound, true};
  }

  template <class V>
  GS_HD V operator()(V g, V& m, V& v) const {
    if (!first) {
      const V normalised = g / maximum(sqrt(v), V(eps));
      m = lerp(m, minimum(maximum(normalised, V(-bound)), V(bound)), w1);
    }
    v = mean_square(v, g, b2, w2);
    return m;
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(adopt)
#endif
