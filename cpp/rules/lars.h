// LARS: You, Gitman and Ginsburg 2017, arXiv:1708.03888, Algorithm 1: the gradient and its decay are scaled
// by the norm of the tensor over theirs, and go into SGD's momentum then.
#ifndef GS_RULES_LARS_H
#define GS_RULES_LARS_H

#include "rules/sgd.h"

namespace gradstep::GS_TARGET {

struct trust {
  double trust_coeff, eps, trust_clip, always_adapt;

  // The norms are of the gradient without decay, and of p; 1 where either is 0.
  GS_HD double ratio(const step_context& c) const {
    const double gradient = sqrt(c.measured[0]), parameter = sqrt(c.measured[1]);
    if (gradient == 0 || parameter == 0 || !(always_adapt || c.weight_decay > 0)) return 1;
    const double decay = c.coupled_decay > 0 ? c.coupled_decay * parameter : 0;  // the norm may be infinite
    const double found = bounded_ratio(trust_coeff * parameter, gradient + decay + eps);
    if (!trust_clip) return found;
    return found > c.lr ? 1 : found / c.lr;  // so that the rate is at most the ratio
  }

  template <class V>
  GS_HD static products<V> norms(V p, V g) {
    return {g, g, p, p};
  }
};

template <class T>
struct lars {
  using hyper = trust;
  static constexpr const char* hyper_names[] = {"trust_coeff", "eps", "trust_clip", "always_adapt"};
  static constexpr int states = 0;
  static constexpr unsigned measured = measured_parameter;
  static constexpr bool measures_before_decay = true;

  GS_HD static lars at(const hyper& h, step_context& c) {
    c.rate *= h.ratio(c);
    return {};
  }

  template <class V>
  GS_HD static products<V> measure(V p, V g) {
    return trust::norms(p, g);
  }

  template <class V>
  GS_HD V operator()(V g) const {
    return g;
  }
};

template <class T, template <class> class Momentum>
struct lars_into {
  struct hyper {
    typename Momentum<T>::hyper momentum;
    trust scaling;
  };
  static constexpr const char* hyper_names[] = {"momentum", "dampening",  "trust_coeff",
                                                "eps",      "trust_clip", "always_adapt"};
  static constexpr int states = 1;
  static constexpr unsigned measured = measured_parameter;
  static constexpr bool measures_before_decay = true;

  Momentum<T> buffer;
  T ratio;

  GS_HD static lars_into at(const hyper& h, step_context& c) {
    return {Momentum<T>::at(h.momentum, c), T(h.scaling.ratio(c))};
  }

  template <class V>
  GS_HD products<V> measure(V p, V g, V) const {
    return trust::norms(p, g);
  }

  template <class V>
  GS_HD V operator()(V g, V& m) const {
    return buffer(V(ratio) * g, m);
  }
};

template <class T>
using lars_momentum = lars_into<T, sgd_momentum>;
template <class T>
using lars_nesterov = lars_into<T, sgd_nesterov>;

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(lars)
GS_RULE(lars_momentum)
GS_RULE(lars_nesterov)
#endif
