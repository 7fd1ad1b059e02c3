// Signum: Bernstein et al. 2018, arXiv:1802.04434, Algorithm 2. sign(0) is 0.
#ifndef GS_RULES_SIGNUM_H
#define GS_RULES_SIGNUM_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct signum {
  struct hyper {
    double momentum;
  };
  static constexpr const char* hyper_names[] = {"momentum"};
  static constexpr int states = 1;

  T w;  // weight of the new gradient

  GS_HD static signum at(const hyper& h, step_context&) { return {T(1 - h.momentum)}; }

  template <class V>
  GS_HD V operator()(V g, V& m) const {
    m = lerp(m, g, w);
    return sign(m);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(signum)
#endif
