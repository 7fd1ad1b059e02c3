// Lion: Chen et al. 2023, arXiv:2302.06675, Algorithm 2: the step uses the old momentum with beta1, the
// momentum then moves with beta2. Weight decay is decoupled; sign(0) is 0.
#ifndef GS_RULES_LION_H
#define GS_RULES_LION_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct lion {
  struct hyper {
    double beta1, beta2;
  };
  static constexpr const char* hyper_names[] = {"beta1", "beta2"};
  static constexpr int states = 1;

  T w1, w2;  // weights of the new gradient

  GS_HD static lion at(const hyper& h, step_context&) { return {T(1 - h.beta1), T(1 - h.beta2)}; }

  template <class V>
  GS_HD V operator()(V g, V& m) const {
    const V u = sign(lerp(m, g, w1));
    m = lerp(m, g, w2);
    return u;
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(lion)
#endif
