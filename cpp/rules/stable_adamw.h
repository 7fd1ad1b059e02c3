// StableAdamW: Wortsman et al. 2023, arXiv:2304.13013, Algorithm 2: AdamW whose rate is divided by the root
// mean square of g / sqrt(v) over the tensor, if that is above 1. The betas are corrected, and not the
// moments.
#ifndef GS_RULES_STABLE_ADAMW_H
#define GS_RULES_STABLE_ADAMW_H

#include "rules/adam.h"

namespace gradstep::GS_TARGET {

template <class T>
struct stable_adamw {
  using hyper = typename adam<T>::hyper;
  static constexpr const auto& hyper_names = adam<T>::hyper_names;
  static constexpr int states = 2;
  static constexpr unsigned measured = measured_state(1);

  adam<T> base;
  T least;  // second moment in the mean square

  GS_HD static stable_adamw at(const hyper& h, step_context& c) {
    const double w1 = (1 - h.beta1) / one_minus_power(h.beta1, c.t);
    const double w2 = (1 - h.beta2) / one_minus_power(h.beta2, c.t);
    const double clip = maximum(1.0, sqrt(c.measured[0] / c.elements));
    c.rate /= clip;
    c.decay_factor = 1 - c.decay / clip;
    return {{T(w1), T(1 - w2), T(w2), T(1), above_zero<T>(h.eps)},
            maximum(T(h.eps * h.eps), range_of<T>::least)};
  }

  template <class V>
  GS_HD products<V> measure(V, V g, V, V v) const {
    base.second_moment(g, v);
    return {g, g / maximum(v, V(least)), V(T(0)), V(T(0))};
  }

  template <class V>
  GS_HD V operator()(V g, V& m, V& v) const {
    return base(g, m, v);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(stable_adamw)
#endif
