// Adan: Xie et al. 2022, arXiv:2208.06677, Algorithm 1, with betas that say how much is kept (the paper's say
// how much is new): moments of the gradient, of its change since the last step, and of the square of what
// both predict. The first change is 0.
#ifndef GS_RULES_ADAN_H
#define GS_RULES_ADAN_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

// With decay as in AdamW: before the update.
template <class T>
struct adan_no_prox {
  struct hyper {
    double beta1, beta2, beta3, eps;
  };
  static constexpr const char* hyper_names[] = {"beta1", "beta2", "beta3", "eps"};
  static constexpr int states = 4;

  T w1, b2, w2, b3, w3;  // weights of the moments
  T ahead;               // of the mean change in the direction, over the correction of the mean gradient
  T root_correction, eps;
  bool first;

  GS_HD static adan_no_prox at(const hyper& h, step_context& c) {
    const double correction1 = one_minus_power(h.beta1, c.t);
    const double ahead = h.beta2 * correction1 / one_minus_power(h.beta2, c.t);
    const double root = 1 / sqrt(one_minus_power(h.beta3, c.t));
    c.rate /= correction1;
    return {T(1 - h.beta1), T(h.beta2), T(1 - h.beta2),       T(h.beta3), T(1 - h.beta3),
            T(ahead),       T(root),    above_zero<T>(h.eps), c.fresh};
  }

  template <class V>
  GS_HD V operator()(V g, V& mean, V& mean_change, V& square, V& previous) const {
    const V change = first ? V(T(0)) : stay_finite<T>(g - previous, g, previous);
    const V predicted = fma(V(b2), change, g);
    mean = lerp(mean, g, w1);
    mean_change = lerp(mean_change, change, w2);
    square = mean_square(square, predicted, b3, w3);
    previous = g;
    return divide_sum(V(ahead), mean_change, mean, fma(sqrt(square), V(root_correction), V(eps)));
  }
};

// With the paper's decay, the proximal one: the updated parameter is divided by 1 + rate * decay.
template <class T>
struct adan {
  using hyper = typename adan_no_prox<T>::hyper;
  static constexpr const auto& hyper_names = adan_no_prox<T>::hyper_names;
  static constexpr int states = 4;

  adan_no_prox<T> base;

  GS_HD static adan at(const hyper& h, step_context& c) {
    c.decay_factor = 1 / (2 - c.decay_factor);  // it comes as 1 - rate * decay
    c.rate *= c.decay_factor;
    return {adan_no_prox<T>::at(h, c)};
  }

  template <class V>
  GS_HD V operator()(V g, V& mean, V& mean_change, V& square, V& previous) const {
    return base(g, mean, mean_change, square, previous);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(adan)
GS_RULE(adan_no_prox)
#endif
