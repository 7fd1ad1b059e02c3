// The only loop over elements: any rule, in float or double, over a run of numbers.
#pragma once

#include <utility>

#include "../math.h"
#include "target.h"

namespace gradstep::GS_TARGET {

template <class Rule>
inline constexpr bool writes_parameter = requires { Rule::writes_parameter; };
template <class Rule>
inline constexpr bool reads_parameter = requires { Rule::reads_parameter; };

template <class Rule, class V, class... States>
GS_HD V direction(const Rule& rule, V parameter, V gradient, States&... states) {
  if constexpr (reads_parameter<Rule>)
    return rule(parameter, gradient, states...);
  else
    return rule(gradient, states...);
}

template <class Rule, class T, int... state>
void apply(const update& step, const operands& x, std::integer_sequence<int, state...>) {
  const Rule rule = *static_cast<const Rule*>(step.rule);
  T* const p = static_cast<T*>(x.p);
  const T* const g = static_cast<const T*>(x.g);
  [[maybe_unused]] T* const s[] = {static_cast<T*>(x.s[state])..., nullptr};
  const vec<T> minus_rate(T(-step.rate)), keep(T(step.keep)), keep_against(T(step.keep_against));

  const auto one = [&](vec<T>& parameter, vec<T> gradient, vec<T>* states) {
    if constexpr (writes_parameter<Rule>) {
      parameter = keep * parameter;
      rule(parameter, gradient, states[state]...);
    } else {
      const vec<T> u = direction(rule, parameter, gradient, states[state]...);
      const vec<T> kept = select(u * parameter < vec<T>(T(0)), keep_against, keep);
      parameter = fma(minus_rate, u, kept * parameter);
    }
  };

  int64_t i = 0;
  for (; i + lanes<T> <= x.n; i += lanes<T>) {
    vec<T> parameter = load(p + i);
    vec<T> states[] = {load(s[state] + i)..., vec<T>(T(0))};
    one(parameter, load(g + i), states);
    store(p + i, parameter);
    (store(s[state] + i, states[state]), ...);
  }
  if (const int rest = int(x.n - i)) {
    vec<T> parameter = load_part(p + i, rest);
    vec<T> states[] = {load_part(s[state] + i, rest)..., vec<T>(T(0))};
    one(parameter, load_part(g + i, rest), states);
    store_part(p + i, parameter, rest);
    (store_part(s[state] + i, states[state], rest), ...);
  }
}

template <class Rule, class T>
void apply(const update& step, const operands& x) {
  apply<Rule, T>(step, x, std::make_integer_sequence<int, Rule::states>{});
}

template <class Rule>
void prepare(const double* hyper, clock& now, void* constants) {
  typename Rule::hyper h;
  if constexpr (!__is_empty(typename Rule::hyper)) __builtin_memcpy(&h, hyper, sizeof h);
  *static_cast<Rule*>(constants) = Rule::at(h, now);
}

}  // namespace gradstep::GS_TARGET
