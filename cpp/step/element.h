// One element of a step, on every engine: how a rule is applied, and what its gradient goes through before.
#pragma once

#include <utility>

#include "numeric/math.h"
#include "step/constants.h"
#include "step/context.h"
#include "step/sums.h"

namespace gradstep::GS_TARGET {

template <class Rule>
inline constexpr bool writes_parameter = requires { Rule::writes_parameter; };
template <class Rule>
inline constexpr bool reads_parameter = requires { Rule::reads_parameter; };
template <class Rule>
inline constexpr bool measures = requires { Rule::measured; };

// Of a rule that measures.
template <class Rule>
inline constexpr measurement measurement_of = {Rule::measured, requires { Rule::measures_all; },
                                               requires { Rule::measures_before_decay; }};
template <class Rule>
  requires(!measures<Rule>)
inline constexpr measurement measurement_of<Rule> = {};

// What is done with a rule's direction, for numbers or registers V.
template <class V>
struct descent {
  V minus_rate, keep, keep_against;

  template <class Rule, class... States>
  GS_HD static V direction(const Rule& rule, V p, V g, States&... states) {
    if constexpr (reads_parameter<Rule>)
      return rule(p, g, states...);
    else
      return rule(g, states...);
  }

  template <class Rule, class... States>
  GS_HD void apply(const Rule& rule, V& p, V g, States&... states) const {
    if constexpr (writes_parameter<Rule>) {
      p = keep * p;
      rule(p, g, states...);
    } else {
      const V u = direction(rule, p, g, states...);
      const V kept = select(u * p < V(0), keep_against, keep);
      p = fma(minus_rate, u, kept * p);
    }
  }
};

// A gradient on its way to the rule. Each operation is rounded by itself, so that the stage gives the bits of
// separate calls.
template <class T>
struct preparation {
  T unscale, shrink, limit, decay;

  GS_HD explicit preparation(const gradient_stage& stage)
      : unscale(T(stage.unscale)),
        shrink(T(stage.maximize ? -stage.shrink : stage.shrink)),
        limit(T(stage.limit)),
        decay(T(stage.decay)) {}

  template <class V>
  GS_HD V operator()(V g, V p) const {
    const V within = clamp(g * V(unscale) * V(shrink), V(limit));
    return decay == 0 ? within : stay_finite<T>(fma(V(decay), p, within), within, p);
  }
};

// What one element adds to a sum of squares, and to a count of what is infinite or NaN.
template <class T>
GS_HD double add_square(double sum, T x) {
  return fma(double(x), double(x), sum);
}
template <class T>
GS_HD double add_nonfinite(double count, T x) {
  return count + (x - x == 0 ? 0.0 : 1.0);
}

}  // namespace gradstep::GS_TARGET
