// Interpolation: no optimizer, but what moves a parameter along the line to the array in the gradient's
// place, or away from it at a negative weight. It takes the parameters of Schedule-Free rules from training
// to evaluation and back.
#ifndef GS_RULES_INTERPOLATION_H
#define GS_RULES_INTERPOLATION_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct interpolation {
  struct hyper {
    double weight;
  };
  static constexpr const char* hyper_names[] = {"weight"};
  static constexpr int states = 0;
  static constexpr bool writes_parameter = true;

  T weight;

  GS_HD static interpolation at(const hyper& h, step_context&) { return {T(h.weight)}; }

  template <class V>
  GS_HD void operator()(V& p, V end) const {
    p = lerp(p, end, weight);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(interpolation)
#endif
