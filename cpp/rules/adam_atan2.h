// Adam-atan2: Everett et al. 2024, arXiv:2407.05872: Adam with the division replaced by an angle, which needs
// no eps and does not change with the gradient's scale. Where both moments are 0 it is 0.
#ifndef GS_RULES_ADAM_ATAN2_H
#define GS_RULES_ADAM_ATAN2_H

#include "numeric/angles.h"
#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct adam_atan2 {
  struct hyper {
    double beta1, beta2, a, b;
  };
  static constexpr const char* hyper_names[] = {"beta1", "beta2", "a", "b"};
  static constexpr int states = 2;

  T w1, b2, w2;  // weights of the moments
  T balance;     // the factor of sqrt(v) relative to m: b and both corrections

  GS_HD static adam_atan2 at(const hyper& h, step_context& c) {
    c.rate *= h.a;
    const double balance = h.b * one_minus_power(h.beta1, c.t) / sqrt(one_minus_power(h.beta2, c.t));
    return {T(1 - h.beta1), T(h.beta2), T(1 - h.beta2), T(balance)};
  }

  template <class V>
  GS_HD V operator()(V g, V& m, V& v) const {
    m = lerp(m, g, w1);
    v = mean_square(v, g, b2, w2);
    return angle<T>(m, V(balance) * sqrt(v));
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(adam_atan2)
#endif
