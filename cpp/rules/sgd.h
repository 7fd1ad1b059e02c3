// SGD with momentum: Sutskever et al. 2013, in torch's form: the rate is outside the buffer, and the update
// that finds no buffer starts it with the gradient itself, whatever the dampening.
#ifndef GS_RULES_SGD_H
#define GS_RULES_SGD_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct sgd {
  struct hyper {};
  static constexpr int states = 0;

  GS_HD static sgd at(const hyper&, step_context&) { return {}; }

  template <class V>
  GS_HD V operator()(V g) const {
    return g;
  }
};

template <class T>
struct sgd_momentum {
  struct hyper {
    double momentum, dampening;
  };
  static constexpr const char* hyper_names[] = {"momentum", "dampening"};
  static constexpr int states = 1;

  T momentum, w;  // w: weight of the new gradient

  GS_HD static sgd_momentum at(const hyper& h, step_context& c) {
    if (c.fresh) return {T(0), T(1)};
    return {T(h.momentum), T(1 - h.dampening)};
  }

  template <class V>
  GS_HD V operator()(V g, V& m) const {
    m = fma(V(momentum), m, V(w) * g);
    return m;
  }
};

template <class T>
struct sgd_nesterov {
  using hyper = typename sgd_momentum<T>::hyper;
  static constexpr const char* hyper_names[] = {"momentum", "dampening"};
  static constexpr int states = 1;

  sgd_momentum<T> buffer;
  T momentum;

  GS_HD static sgd_nesterov at(const hyper& h, step_context& c) {
    return {sgd_momentum<T>::at(h, c), T(h.momentum)};
  }

  template <class V>
  GS_HD V operator()(V g, V& m) const {
    buffer(g, m);
    return fma(V(momentum), m, g);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(sgd)
GS_RULE(sgd_momentum)
GS_RULE(sgd_nesterov)
#endif
