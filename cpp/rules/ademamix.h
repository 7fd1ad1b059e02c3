// AdEMAMix: Pagliardini, Ablin and Grangier 2024, arXiv:2409.03137, Algorithm 1: Adam with a second, slow
// mean in addition to the fast one. The slow mean is not corrected for its start at zero. Instead its weight
// alpha and its beta3 warm up, beta3 so that its half-life grows linearly from that of beta1.
#ifndef GS_RULES_ADEMAMIX_H
#define GS_RULES_ADEMAMIX_H

#include "rules/adam.h"

namespace gradstep::GS_TARGET {

template <class T>
struct ademamix {
  struct hyper {
    double beta1, beta2, beta3, alpha, eps, alpha_warmup, beta3_warmup;
  };
  static constexpr const char* hyper_names[] = {"beta1", "beta2",        "beta3",       "alpha",
                                                "eps",   "alpha_warmup", "beta3_warmup"};
  static constexpr int states = 3;

  adam<T> base;
  T w3;   // weight of the new gradient in the slow mean
  T mix;  // weight of the slow mean

  GS_HD static double warm_beta3(const hyper& h, double t) {
    if (t >= h.beta3_warmup) return h.beta3;
    const double part = t / h.beta3_warmup;
    return minimum(exp(1 / ((1 - part) / log(h.beta1) + part / log(h.beta3))), h.beta3);
  }

  GS_HD static ademamix at(const hyper& h, step_context& c) {
    const double t = double(c.t);
    const double alpha = t < h.alpha_warmup ? h.alpha * t / h.alpha_warmup : h.alpha;
    const double mix = alpha * one_minus_power(h.beta1, c.t);  // the rate is divided by this correction
    return {adam<T>::at({h.beta1, h.beta2, h.eps}, c), T(1 - warm_beta3(h, t)), T(mix)};
  }

  template <class V>
  GS_HD V operator()(V g, V& fast, V& slow, V& v) const {
    base.moments(g, fast, v);
    slow = lerp(slow, g, w3);
    return divide_sum(V(mix), slow, fast, base.divisor(v));
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(ademamix)
#endif
