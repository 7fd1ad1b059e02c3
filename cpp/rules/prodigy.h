// Prodigy: Mishchenko and Defazio 2024, arXiv:2306.06101, Algorithm 4, in the form of its authors' code: Adam
// whose rate is multiplied by an estimate d of the distance to the solution. The estimate comes from the
// gradients and the distance moved since the start. All tensors share d, its largest value and the numerator
// of the estimate.
#ifndef GS_RULES_PRODIGY_H
#define GS_RULES_PRODIGY_H

#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class T>
struct prodigy {
  struct hyper {
    double beta1, beta2, beta3, eps, d0, d_coef, growth_rate, bias_correction, safeguard_warmup;
  };
  static constexpr const char* hyper_names[] = {
      "beta1", "beta2", "beta3", "eps", "d0", "d_coef", "growth_rate", "bias_correction", "safeguard_warmup"};
  static constexpr int states = 4;
  static constexpr bool reads_parameter = true;
  static constexpr unsigned measured = measured_parameter | measured_state(2) | measured_state(3);
  static constexpr bool measures_all = true;

  T w1, b2, w2, b3, w3;  // weights of the moments and of the sum of gradients
  T d, eps;              // d before this update, eps times d after it
  bool first, rests;     // rests where no gradient has come yet, or at a rate of 0

  GS_HD static prodigy at(const hyper& h, step_context& c) {
    double &d = c.kept[0], &largest = c.kept[1], &numerator = c.kept[2];
    const double before = d, dots = c.measured[0], sizes = c.measured[1];
    const double correction =
        h.bias_correction ? sqrt(one_minus_power(h.beta2, c.t)) / one_minus_power(h.beta1, c.t) : 1;
    const double rate = before * correction * c.lr, weight = before / h.d0;
    const bool rests = sizes == 0 || c.lr == 0;
    if (rests) {
      --c.t;
      c.rate = 0;
      c.decay_factor = 1;
    } else {
      numerator = clamp(h.beta3 * numerator + weight * rate * dots, 0x1p1000);
      const double estimate = sizes > range_of<double>::largest ? 0 : h.d_coef * numerator / sizes;
      if (d == h.d0) d = maximum(d, estimate);
      largest = maximum(largest, estimate);
      d = minimum(minimum(largest, d * h.growth_rate), 0x1p60);  // whose square is a float
      c.rate = rate;
      c.decay_factor = 1 - before * correction * c.decay;
    }
    return {T(1 - h.beta1),
            T(h.beta2),
            T(before * before * (1 - h.beta2)),
            T(h.beta3),
            T(minimum(weight * (h.safeguard_warmup ? before : rate), double(range_of<float>::largest))),
            T(before),
            above_zero<T>(d * h.eps),
            c.fresh,
            rests};
  }

  template <class V>
  GS_HD void add_gradient(V g, V& s) const {
    s = fma(V(w3), g, fade(s, b3));
  }

  template <class V>
  GS_HD products<V> measure(V p, V g, V, V, V s, V start) const {
    add_gradient(g, s);
    return {g, first ? V(T(0)) : stay_finite<T>(start - p, start, p), abs(s), V(T(1))};
  }

  template <class V>
  GS_HD V operator()(V p, V g, V& m, V& v, V& s, V& start) const {
    if (first) start = p;
    if (rests) return V(T(0));
    m = lerp(m, stay_finite<T>(V(d) * g, g), w1);
    v = mean_square(v, g, b2, w2);
    add_gradient(g, s);
    return m / (sqrt(v) + V(eps));
  }
};

}  // namespace gradstep::GS_TARGET

#endif

#ifdef GS_RULE
GS_RULE(prodigy)
#endif
