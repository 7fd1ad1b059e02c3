// NAdamW: Dozat's Nesterov momentum in the form of the AlgoPerf benchmark, Dahl et al. 2023,
// arXiv:2306.07179: the direction is that of Adam from where the mean would be after the same gradient once
// more, with the corrections of the present step. torch's NAdam, with its momentum schedule, is a different
// rule.
#ifndef GS_RULES_NADAMW_H
#define GS_RULES_NADAMW_H

#include "rules/adam.h"

namespace gradstep::GS_TARGET {

template <class T>
struct nadamw {
  using hyper = typename adam<T>::hyper;
  static constexpr const auto& hyper_names = adam<T>::hyper_names;
  static constexpr int states = 2;

  adam<T> base;

  GS_HD static nadamw at(const hyper& h, step_context& c) { return {adam<T>::at(h, c)}; }

  template <class V>
  GS_HD V operator()(V g, V& m, V& v) const {
    base.moments(g, m, v);
    return base.direction(lerp(m, g, base.w1), v);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(nadamw)
#endif
