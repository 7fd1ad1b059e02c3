// A rule whose direction is needed whole: a momentum m, each row of which is divided by its own largest
// element. A row of zeros stays. The second form keeps beside it a number per row, which nothing of the
// direction is told.
#pragma once

#include "rules/rule.h"
#include "rules_of_tests/row_normalised.h"

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

// Both at once: rows are normalised, and then scaled.
template <class T>
struct row_scaled_second : by_largest_element, row_normalised<T> {
  using typename row_normalised<T>::hyper;

  GS_HD static row_scaled_second at(const hyper& h, step_context& c) {
    return {{}, row_normalised<T>::at(h, c)};
  }
};

}  // namespace gradstep::GS_TARGET
