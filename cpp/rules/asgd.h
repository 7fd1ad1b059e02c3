// ASGD: Polyak and Juditsky 1992, in torch's form (Bottou's rate): the rate eta and the average's weight mu
// of the next update are kept per tensor. It writes the parameter itself, because the average needs the new
// one.
#ifndef GS_RULES_ASGD_H
#define GS_RULES_ASGD_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct asgd {
  struct hyper {
    double lambd, alpha, t0;
  };
  static constexpr const char* hyper_names[] = {"lambd", "alpha", "t0"};
  static constexpr int states = 1;
  static constexpr bool writes_parameter = true;

  T eta, shrink, mu;

  GS_HD static asgd at(const hyper& h, step_context& c) {
    double &eta = c.kept[0], &mu = c.kept[1];
    const asgd now = {T(eta), T(1 - h.lambd * eta), T(mu)};
    const double t = double(c.t), past = t - h.t0;
    eta = c.lr / pow(1 + h.lambd * c.lr * t, h.alpha);
    mu = past > 1 ? 1 / past : 1;
    return now;
  }

  template <class V>
  GS_HD void operator()(V& p, V g, V& average) const {
    p = fma(V(-eta), g, V(shrink) * p);
    average = lerp(average, p, mu);
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(asgd)
#endif
