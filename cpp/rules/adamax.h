// Adamax: Kingma and Ba 2015, arXiv:1412.6980, Algorithm 2; as in torch, eps is added to |g| inside the
// maximum.
#ifndef GS_RULES_ADAMAX_H
#define GS_RULES_ADAMAX_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct adamax {
  struct hyper {
    double beta1, beta2, eps;
  };
  static constexpr const char* hyper_names[] = {"beta1", "beta2", "eps"};
  static constexpr int states = 2;

  T w1, b2, eps;  // w1: weight of the new gradient

  GS_HD static adamax at(const hyper& h, step_context& c) {
    c.rate /= one_minus_power(h.beta1, c.t);
    return {T(1 - h.beta1), T(h.beta2), T(h.eps)};
  }

  template <class V>
  GS_HD V operator()(V g, V& m, V& norm) const {
    m = lerp(m, g, w1);
    norm = maximum(V(b2) * norm, abs(g) + V(eps));
    return m / maximum(norm, V(range_of<T>::least));
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(adamax)
#endif
