// LAMB: You et al. 2020, arXiv:1904.00962, Algorithm 2: Adam's direction with its decay, scaled to the norm
// of the tensor that it updates.
#ifndef GS_RULES_LAMB_H
#define GS_RULES_LAMB_H

#include "rules/adam.h"

namespace gradstep::GS_TARGET {

template <class T>
struct lamb {
  struct hyper {
    double beta1, beta2, eps, max_ratio, bias_correction, grad_averaging, always_adapt;
  };
  static constexpr const char* hyper_names[] = {
      "beta1", "beta2", "eps", "max_ratio", "bias_correction", "grad_averaging", "always_adapt"};
  static constexpr int states = 2;
  static constexpr bool reads_parameter = true;
  static constexpr unsigned measured = measured_parameter | measured_state(0) | measured_state(1);

  adam<T> base;
  T scale;                 // of its direction
  T decay, decay_against;  // in the direction, where it has the sign of p, and where not

  // Norm of p over norm of the direction: 1 where either is 0.
  GS_HD static double ratio(const step_context& c) {
    const double direction = sqrt(c.measured[0]), parameter = sqrt(c.measured[1]);
    return direction == 0 || parameter == 0 ? 1 : bounded_ratio(parameter, direction);
  }

  GS_HD static lamb at(const hyper& h, step_context& c) {
    const double correction1 = h.bias_correction ? one_minus_power(h.beta1, c.t) : 1;
    const double correction2 = h.bias_correction ? one_minus_power(h.beta2, c.t) : 1;
    // The mean is kept as a mean: a sum of gradients is it over 1 - beta1.
    const double scale = 1 / (h.grad_averaging ? correction1 : correction1 * (1 - h.beta1));
    const double decay = c.lr > 0 ? c.decay / c.lr : 0;
    const double trust = h.always_adapt || c.weight_decay > 0 ? minimum(ratio(c), h.max_ratio) : 1;
    c.rate *= trust;
    c.decay_factor = 1;  // the decay is part of the direction
    return {{T(1 - h.beta1), T(h.beta2), T(1 - h.beta2), T(1 / sqrt(correction2)), above_zero<T>(h.eps)},
            T(scale),
            T(decay),
            T(c.cautious ? 0 : decay)};
  }

  template <class V>
  GS_HD products<V> measure(V p, V g, V m, V v) const {
    const V u = (*this)(p, g, m, v);
    return {u, u, p, p};
  }

  template <class V>
  GS_HD V operator()(V p, V g, V& m, V& v) const {
    const V adams = V(scale) * base(g, m, v);
    return fma(select(adams * p < V(T(0)), V(decay_against), V(decay)), p, adams);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(lamb)
#endif
