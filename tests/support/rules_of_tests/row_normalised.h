// Row-normalised SGD: v = beta v + (1 - beta) mean(g^2) for each row, u = g / (sqrt(v) + eps).
#ifndef GS_RULES_ROW_NORMALISED_H
#define GS_RULES_ROW_NORMALISED_H

#include "rules_of_tests/mean_of_squares.h"

namespace gradstep::GS_TARGET {

template <class T>
struct row_normalised : mean_of_squares {
  struct hyper {
    double beta, eps;
  };
  static constexpr const char* hyper_names[] = {"beta", "eps"};
  static constexpr int states = 1;
  static constexpr state_shape shapes[] = {state_shape::per_row};

  T eps;

  GS_HD static row_normalised at(const hyper& h, step_context&) { return {{h.beta}, T(h.eps)}; }

  template <class V>
  GS_HD V operator()(V g, V v) const {
    return g / (sqrt(v) + V(eps));
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(row_normalised)
#endif
