// Adadelta: Zeiler 2012, arXiv:1212.5701, Algorithm 1; eps is inside both roots, and the accumulator of
// updates does not see the rate.
#ifndef GS_RULES_ADADELTA_H
#define GS_RULES_ADADELTA_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct adadelta {
  struct hyper {
    double rho, eps;
  };
  static constexpr const char* hyper_names[] = {"rho", "eps"};
  static constexpr int states = 2;

  T rho, w, eps;  // w: weight of the new square

  GS_HD static adadelta at(const hyper& h, step_context&) { return {T(h.rho), T(1 - h.rho), T(h.eps)}; }

  template <class V>
  GS_HD V average(V mean, V x) const {
    return mean_square(mean, x, rho, w);
  }

  template <class V>
  GS_HD V operator()(V g, V& squares, V& updates) const {
    squares = average(squares, g);
    const V u = sqrt(updates + V(eps)) / sqrt(maximum(squares + V(eps), V(range_of<T>::least))) * g;
    updates = average(updates, u);
    return u;
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(adadelta)
#endif
