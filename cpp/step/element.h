// One element of a step, on every engine: the transform of its gradient, and the application of the rule.
#pragma once

#include <utility>

#include "numeric/math.h"
#include "step/constants.h"
#include "step/context.h"
#include "step/matrix_form.h"
#include "step/sums.h"

namespace gradstep::GS_TARGET {

template <class Rule>
inline constexpr bool writes_parameter = requires { Rule::writes_parameter; };
template <class Rule>
inline constexpr bool reads_parameter = requires { Rule::reads_parameter; };
template <class Rule>
inline constexpr bool measures = requires { Rule::measured; };

// The request of a rule that measures.
template <class Rule>
inline constexpr measurement measurement_of = {Rule::measured, requires { Rule::measures_all; },
                                               requires { Rule::measures_before_decay; }};
template <class Rule>
  requires(!measures<Rule>)
inline constexpr measurement measurement_of<Rule> = {};

template <class Rule>
inline constexpr bool reduces = requires { Rule::shapes; };
template <class Rule>
inline constexpr bool transforms_direction = requires { Rule::transforms_direction; };
template <class Rule>
inline constexpr bool sees_matrix = reduces<Rule> || transforms_direction<Rule>;

template <class Rule>
inline constexpr matrix_form matrix_form_of = [] {
  matrix_form form = {{}, reduces<Rule>, transforms_direction<Rule>};
  if constexpr (reduces<Rule>) {
    static_assert(sizeof(Rule::shapes) / sizeof(state_shape) == Rule::states);
    for (int k = 0; k < Rule::states; ++k) form.shapes[k] = Rule::shapes[k];
  }
  return form;
}();

// The states that an update writes, as bits: those that are like the parameter.
template <class Rule>
inline constexpr unsigned written_states = [] {
  unsigned found = 0;
  for (int k = 0; k < state_limit; ++k)
    if (matrix_form_of<Rule>.shapes[k] == state_shape::like_parameter) found |= 1u << k;
  return found;
}();

// The use of a rule's direction, for numbers or registers V.
template <class V>
struct descent {
  V minus_rate, decay_factor, decay_factor_if_opposed;

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
      p = decay_factor * p;
      rule(p, g, states...);
    } else {
      const V u = direction(rule, p, g, states...);
      const V kept = select(u * p < V(0), decay_factor_if_opposed, decay_factor);
      p = fma(minus_rate, u, kept * p);
    }
  }
};

// The rule of a descent along directions that have been written to memory; they are passed as the gradient.
struct given_direction {
  static constexpr int states = 0;

  template <class V>
  GS_HD V operator()(V u) const {
    return u;
  }
};

// The rule of the pass that writes the parameter.
template <class Rule>
struct descending_rule {
  using type = Rule;
};
template <class Rule>
  requires transforms_direction<Rule>
struct descending_rule<Rule> {
  using type = given_direction;
};

// Transforms a gradient before the rule. Each operation is rounded by itself, so that all of them together
// give the bits of standalone operations.
template <class T>
struct transform_gradient {
  T unscale, clip_factor, clip_value, decay;

  GS_HD explicit transform_gradient(const gradient_transform& by)
      : unscale(T(by.unscale)),
        clip_factor(T(by.maximize ? -by.clip_factor : by.clip_factor)),
        clip_value(T(by.clip_value)),
        decay(T(by.decay)) {}

  template <class V>
  GS_HD V operator()(V g, V p) const {
    const V within = clamp(g * V(unscale) * V(clip_factor), V(clip_value));
    return decay == 0 ? within : stay_finite<T>(fma(V(decay), p, within), within, p);
  }
};

// The term of one element in a sum of squares, and in a count of infinities and NaN.
template <class T>
GS_HD double add_square(double sum, T x) {
  return fma(double(x), double(x), sum);
}
template <class T>
GS_HD double add_nonfinite(double count, T x) {
  return count + (x - x == 0 ? 0.0 : 1.0);
}

}  // namespace gradstep::GS_TARGET
