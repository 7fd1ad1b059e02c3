// Rules whose direction is needed whole: each row of it is divided by its own largest element, and a row of
// zeros stays. The first is a momentum m.
#ifndef GS_RULES_ROW_SCALED_H
#define GS_RULES_ROW_SCALED_H

#include "rules_of_tests/mean_of_squares.h"

namespace gradstep::GS_TARGET {

struct by_largest_element {
  static constexpr bool transforms_direction = true;

  template <class V>
  GS_HD V direction_term(V u) const {
    return abs(u);
  }
  template <class V>
  GS_HD V join(V a, V b) const {
    return maximum(a, b);
  }
  template <class V>
  GS_HD V change(V u, V largest) const {
    return select(largest > V(0), u / largest, u);
  }
};

template <class T>
struct row_scaled : by_largest_element {
  struct hyper {
    double momentum;
  };
  static constexpr const char* hyper_names[] = {"momentum"};
  static constexpr int states = 1;

  T momentum;

  GS_HD static row_scaled at(const hyper& h, step_context&) { return {{}, T(h.momentum)}; }

  template <class V>
  GS_HD V operator()(V g, V& m) const {
    m = fma(V(momentum), m, g);
    return m;
  }
};

// Both at once: all elements are divided by the root of their mean square over the tensor, then rows are
// scaled.
template <class T>
struct row_scaled_normalised : by_largest_element, mean_of_squares {
  struct hyper {
    double beta, eps;
  };
  static constexpr const char* hyper_names[] = {"beta", "eps"};
  static constexpr int states = 1;
  static constexpr state_shape shapes[] = {state_shape::per_tensor};

  T eps;

  GS_HD static row_scaled_normalised at(const hyper& h, step_context&) { return {{}, {h.beta}, T(h.eps)}; }

  template <class V>
  GS_HD V operator()(V g, V a) const {
    return g / (sqrt(a) + V(eps));
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(row_scaled)
GS_RULE(row_scaled_normalised)
#endif
