// LaProp: Ziyin, Wang and Ueda 2020, arXiv:2002.04839: the gradient is normalised first and averaged then.
// The rate is outside of the mean.
#ifndef GS_RULES_LAPROP_H
#define GS_RULES_LAPROP_H

#include "rules/adam.h"

namespace gradstep::GS_TARGET {

template <class T>
struct laprop {
  using hyper = typename adam<T>::hyper;
  static constexpr const auto& hyper_names = adam<T>::hyper_names;
  static constexpr int states = 2;

  adam<T> base;

  GS_HD static laprop at(const hyper& h, step_context& c) { return {adam<T>::at(h, c)}; }

  template <class V>
  GS_HD V operator()(V g, V& m, V& v) const {
    base.second_moment(g, v);
    m = lerp(m, base.direction(g, v), base.w1);
    return m;
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(laprop)
#endif
