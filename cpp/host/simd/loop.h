// The only loop over elements: any rule and the transforms around it, in float or double, over a run of
// numbers.
#pragma once

#include <utility>

#include "host/simd/target.h"
#include "host/simd/transforms.h"
#include "step/element.h"

namespace gradstep::GS_TARGET {

// A state that is not like the parameter has been written before (matrix.h).
template <class Rule, int state, class T, class Part>
GS_HD void store_state(T* to, vec<T> x, Part part) {
  if constexpr (written_states<Rule> >> state & 1) store(to, x, part);
}

template <class Rule, class T, class Transforms, int... state>
void apply(const update& step, const operands& x, std::integer_sequence<int, state...>) {
  const Rule rule = *static_cast<const Rule*>(step.rule);
  const Transforms transforms(step, x);
  T* const p = static_cast<T*>(x.p);
  const T* const g = static_cast<const T*>(x.g);
  [[maybe_unused]] T* const s[] = {static_cast<T*>(x.s[state])..., nullptr};
  const descent<vec<T>> after = {vec<T>(T(-step.rate)), vec<T>(T(step.decay_factor)),
                                 vec<T>(T(step.decay_factor_if_opposed))};

  const auto visit = [&](int64_t i, auto part) {
    vec<T> parameter = read(p, i, part);
    [[maybe_unused]] vec<T> states[] = {read(s[state], i, part)..., vec<T>(T(0))};
    const vec<T> gradient = transforms.before(read(g, i, part), parameter);
    after.apply(rule, parameter, gradient, states[state]...);
    store(p + i, parameter, part);
    (store_state<Rule, state>(s[state] + i, states[state], part), ...);
    transforms.after(parameter, i, part);
  };

  for_each_register<T>(x.n, visit);
}

template <class Rule, class T>
void apply(const update& step, const operands& x) {
  constexpr auto states = std::make_integer_sequence<int, Rule::states>{};
  if (step.gradient || x.average || x.zeroed) {
    apply<Rule, T, all_transforms<T>>(step, x, states);
  } else {
    apply<Rule, T, no_transforms<T>>(step, x, states);
  }
}

template <class Rule>
void make_rule_constants(const double* hyper, step_context& now, void* constants) {
  typename Rule::hyper h;
  if constexpr (!__is_empty(typename Rule::hyper)) __builtin_memcpy(&h, hyper, sizeof h);
  *static_cast<Rule*>(constants) = Rule::at(h, now);
}

}  // namespace gradstep::GS_TARGET
