// Rprop: Riedmiller and Braun 1993, with torch's rule for a change of sign: no step, and the gradient is
// forgotten. The learning rate is the first step size only.
#ifndef GS_RULES_RPROP_H
#define GS_RULES_RPROP_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct rprop {
  struct hyper {
    double eta_minus, eta_plus, step_min, step_max;
  };
  static constexpr const char* hyper_names[] = {"eta_minus", "eta_plus", "step_min", "step_max"};
  static constexpr int states = 2;

  T eta_minus, eta_plus, step_min, step_max;

  GS_HD static rprop at(const hyper& h, step_context& c) {
    c.rate = 1;
    return {T(h.eta_minus), T(h.eta_plus), T(h.step_min), T(h.step_max)};
  }

  template <class V>
  GS_HD V operator()(V g, V& previous, V& step_size) const {
    const V agreement = g * previous;
    const V grown =
        step_size * select(agreement < V(0), V(eta_minus), select(agreement > V(0), V(eta_plus), V(1)));
    step_size = minimum(maximum(grown, V(step_min)), V(step_max));
    previous = select(agreement < V(0), V(0), g);
    return sign(previous) * step_size;
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(rprop)
#endif
