// NAdam: Dozat 2016, Incorporating Nesterov Momentum into Adam, Algorithm 8, with torch's momentum schedule;
// the running product of the momenta is kept per tensor. NAdamW of the AlgoPerf benchmark is a different
// rule.
#ifndef GS_RULES_NADAM_H
#define GS_RULES_NADAM_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct nadam {
  struct hyper {
    double beta1, beta2, eps, momentum_decay;
  };
  static constexpr const char* hyper_names[] = {"beta1", "beta2", "eps", "momentum_decay"};
  static constexpr int states = 2;

  T w1, b2, w2;      // weights of the moments
  T gradient, mean;  // weights of g and m in the direction
  T root_correction, eps;

  GS_HD static double momentum(const hyper& h, int64_t t) {
    return h.beta1 * (1 - 0.5 * pow(0.96, double(t) * h.momentum_decay));
  }

  GS_HD static nadam at(const hyper& h, step_context& c) {
    const double mu = momentum(h, c.t), mu_next = momentum(h, c.t + 1);
    double& product = c.kept[0];
    product *= mu;
    const double root = 1 / sqrt(one_minus_power(h.beta2, c.t));
    return {T(1 - h.beta1),
            T(h.beta2),
            T(1 - h.beta2),
            T((1 - mu) / (1 - product)),
            T(mu_next / (1 - product * mu_next)),
            T(root),
            above_zero<T>(h.eps)};
  }

  template <class V>
  GS_HD V operator()(V g, V& m, V& v) const {
    m = lerp(m, g, w1);
    v = mean_square(v, g, b2, w2);
    return divide_sum(V(mean), m, V(gradient) * g, fma(sqrt(v), V(root_correction), V(eps)));
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(nadam)
#endif
