// Adafactor with a momentum m: means of squares over rows r, columns c and each matrix a, u = m / (sqrt(r c /
// a) + eps), and a rate that is divided by the root mean square of u over its limit, where that is above 1.
#ifndef GS_RULES_AXIS_NORMALISED_H
#define GS_RULES_AXIS_NORMALISED_H

#include "rules_of_tests/mean_of_squares.h"

namespace gradstep::GS_TARGET {

template <class T>
struct axis_normalised : mean_of_squares {
  struct hyper {
    double momentum, beta, eps, limit;
  };
  static constexpr const char* hyper_names[] = {"momentum", "beta", "eps", "limit"};
  static constexpr int states = 4;
  static constexpr state_shape shapes[] = {state_shape::per_row, state_shape::like_parameter,
                                           state_shape::per_column, state_shape::per_matrix};
  static constexpr unsigned measured =
      measured_state(0) | measured_state(1) | measured_state(2) | measured_state(3);

  T momentum, eps;

  GS_HD static axis_normalised at(const hyper& h, step_context& c) {
    c.rate /= maximum(1.0, sqrt(c.measured[0] / c.elements) / h.limit);
    return {{c.fresh ? 0 : h.beta}, T(c.fresh ? 0 : h.momentum), T(h.eps)};
  }

  template <class V>
  GS_HD products<V> measure(V, V g, V r, V m, V c, V a) const {
    const V u = (*this)(g, r, m, c, a);
    return {u, u, V(T(0)), V(T(0))};
  }

  template <class V>
  GS_HD V operator()(V g, V r, V& m, V c, V a) const {
    m = fma(V(momentum), m, g);
    return m / (sqrt(r * c / a) + V(eps));
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(axis_normalised)
#endif
