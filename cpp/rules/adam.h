// Adam: Kingma and Ba 2015, arXiv:1412.6980, Algorithm 1; AdamW is the same with decoupled decay. amsgrad:
// Reddi et al. 2018, arXiv:1904.09237, in torch's form: the maximum is taken over the uncorrected second
// moment.
#ifndef GS_RULES_ADAM_H
#define GS_RULES_ADAM_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct adam {
  struct hyper {
    double beta1, beta2, eps;
  };
  static constexpr const char* hyper_names[] = {"beta1", "beta2", "eps"};
  static constexpr int states = 2;

  T w1, b2, w2;       // weights of the moments, the small ones formed in double
  T root_correction;  // 1 / sqrt(1 - beta2^t)
  T eps;

  GS_HD static adam at(const hyper& h, step_context& c) {
    c.rate /= one_minus_power(h.beta1, c.t);
    const double root = 1 / sqrt(one_minus_power(h.beta2, c.t));
    return {T(1 - h.beta1), T(h.beta2), T(1 - h.beta2), T(root), above_zero<T>(h.eps)};
  }

  template <class V>
  GS_HD void second_moment(V g, V& v) const {
    v = mean_square(v, g, b2, w2);
  }

  template <class V>
  GS_HD void moments(V g, V& m, V& v) const {
    m = lerp(m, g, w1);
    second_moment(g, v);
  }

  template <class V>
  GS_HD V divisor(V v) const {
    return fma(sqrt(v), V(root_correction), V(eps));
  }

  template <class V>
  GS_HD V direction(V m, V v) const {
    return m / divisor(v);
  }

  template <class V>
  GS_HD V operator()(V g, V& m, V& v) const {
    moments(g, m, v);
    return direction(m, v);
  }
};

template <class T>
struct amsgrad {
  using hyper = typename adam<T>::hyper;
  static constexpr const char* hyper_names[] = {"beta1", "beta2", "eps"};
  static constexpr int states = 3;

  adam<T> base;

  GS_HD static amsgrad at(const hyper& h, step_context& c) { return {adam<T>::at(h, c)}; }

  template <class V>
  GS_HD V operator()(V g, V& m, V& v, V& v_max) const {
    base.moments(g, m, v);
    v_max = maximum(v_max, v);
    return base.direction(m, v_max);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(adam)
GS_RULE(amsgrad)
#endif
