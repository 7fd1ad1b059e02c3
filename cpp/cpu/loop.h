// The only loop over elements: any rule, in float or double, over a run of numbers.
#pragma once

#include <utility>

#include "../element.h"
#include "target.h"

namespace gradstep::GS_TARGET {

template <class Rule, class T, int... state>
void apply(const update& step, const operands& x, std::integer_sequence<int, state...>) {
  const Rule rule = *static_cast<const Rule*>(step.rule);
  T* const p = static_cast<T*>(x.p);
  const T* const g = static_cast<const T*>(x.g);
  [[maybe_unused]] T* const s[] = {static_cast<T*>(x.s[state])..., nullptr};
  const descent<vec<T>> after = {vec<T>(T(-step.rate)), vec<T>(T(step.keep)), vec<T>(T(step.keep_against))};

  int64_t i = 0;
  for (; i + lanes<T> <= x.n; i += lanes<T>) {
    vec<T> parameter = load(p + i);
    [[maybe_unused]] vec<T> states[] = {load(s[state] + i)..., vec<T>(T(0))};
    after.apply(rule, parameter, load(g + i), states[state]...);
    store(p + i, parameter);
    (store(s[state] + i, states[state]), ...);
  }
  if (const int rest = int(x.n - i)) {
    vec<T> parameter = load_part(p + i, rest);
    [[maybe_unused]] vec<T> states[] = {load_part(s[state] + i, rest)..., vec<T>(T(0))};
    after.apply(rule, parameter, load_part(g + i, rest), states[state]...);
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
