// Adagrad: Duchi, Hazan and Singer 2011, JMLR 12, Figure 1 (diagonal); eps is outside the root, and the rate
// may decay by inverse time, as in torch.
#ifndef GS_RULES_ADAGRAD_H
#define GS_RULES_ADAGRAD_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct adagrad {
  struct hyper {
    double lr_decay, eps;
  };
  static constexpr const char* hyper_names[] = {"lr_decay", "eps"};
  static constexpr int states = 1;

  T eps;

  GS_HD static adagrad at(const hyper& h, step_context& c) {
    c.rate /= 1 + double(c.t - 1) * h.lr_decay;
    return {above_zero<T>(h.eps)};
  }

  template <class V>
  GS_HD V operator()(V g, V& sum) const {
    sum = fma(g, g, sum);
    return g / (sqrt(sum) + V(eps));
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(adagrad)
#endif
