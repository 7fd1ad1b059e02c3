// States of every shape at once: a momentum m, and means of squares over rows r, columns c and the tensor a,
// as in Adafactor: u = m / (sqrt(r c / a) + eps).
#pragma once

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct axis_normalised {
  struct hyper {
    double momentum, beta, eps;
  };
  static constexpr const char* hyper_names[] = {"momentum", "beta", "eps"};
  static constexpr int states = 4;
  static constexpr state_shape shapes[] = {state_shape::per_row, state_shape::like_parameter,
                                           state_shape::per_column, state_shape::per_tensor};

  double beta;
  T momentum, eps;

  GS_HD static axis_normalised at(const hyper& h, step_context& c) {
    return {c.fresh ? 0 : h.beta, T(c.fresh ? 0 : h.momentum), T(h.eps)};
  }

  template <class V>
  GS_HD factors<V> reduced(V g) const {
    return {g, g};
  }
  GS_HD double renew(int, double before, double sum, double count) const {
    return beta * before + (1 - beta) * (sum / count);
  }

  template <class V>
  GS_HD V operator()(V g, V r, V& m, V c, V a) const {
    m = fma(V(momentum), m, g);
    return m / (sqrt(r * c / a) + V(eps));
  }
};

}  // namespace gradstep::GS_TARGET
