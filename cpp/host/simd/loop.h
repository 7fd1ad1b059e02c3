// The only loop over elements: any rule and the transforms around it, over a run of numbers, in float or
// double, or as they are stored.
#pragma once

#include <utility>

#include "host/simd/stored.h"
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
  // In double the branches around a rule take no time.
  if (std::is_same_v<T, double> || step.gradient || x.average || x.zeroed) {
    apply<Rule, T, all_transforms<T>>(step, x, states);
  } else if constexpr (std::is_same_v<T, float>) {
    apply<Rule, T, no_transforms<T>>(step, x, states);
  }
}

#if !defined(GS_SCALAR)
// The outputs that follow the parameter: its average, its copy, and the gradient's zeros.
template <bool separated>
class stored_results {
 public:
  stored_results(const update& step, const stored_operands& x)
      : average_(x.average),
        copy_(x.copy),
        zeroed_(x.zeroes ? x.g : stored_array{}),
        weight_(float(step.average_weight)) {}

  GS_HD bool are_wanted() const { return average_ || copy_ || zeroed_; }

  [[gnu::noinline]] void write(int64_t i, register_pair parameter, bool with_nan) const {
    if (copy_) copy_.write(i, parameter, with_nan);
    if (zeroed_) zeroed_.write(i, {vec<float>(0.f), vec<float>(0.f)}, false);
    if (!average_) return;
    const register_pair before = average_.read(i);
    const register_pair after = {lerp(before.first, parameter.first, weight_),
                                 lerp(before.second, parameter.second, weight_)};
    average_.write(i, after, has_nan(after));
  }

 private:
  stored_run<separated> average_, copy_, zeroed_;
  float weight_;
};

template <class Rule, int state, bool separated>
GS_HD void write_state(const stored_run<separated>& to, int64_t i, register_pair x, bool with_nan) {
  if constexpr (written_states<Rule> >> state & 1) to.write(i, x, with_nan);
}

// A register holds twice as many numbers of 16 bits: a round decodes two registers of each array.
template <class Rule, bool separated, int... state>
void apply_stored(const update& step, const stored_operands& x, std::integer_sequence<int, state...>) {
  const Rule rule = *static_cast<const Rule*>(step.rule);
  const before_rule<float> transforms(step);
  const descent<vec<float>> after = {vec<float>(float(-step.rate)), vec<float>(float(step.decay_factor)),
                                     vec<float>(float(step.decay_factor_if_opposed))};
  const stored_run<separated> p(x.p), g(x.g);
  [[maybe_unused]] const stored_run<separated> s[] = {stored_run<separated>(x.s[state])...,
                                                      stored_run<separated>({})};
  const stored_results<separated> results(step, x);
  const bool has_results = results.are_wanted();

  const int64_t n = x.n;
  for (int64_t i = 0; i < n; i += stored_unit) {
    register_pair parameter = p.read(i);
    [[maybe_unused]] register_pair states[] = {s[state].read(i)..., {}};
    const register_pair gradient = g.read(i);
    const auto update_half = [&](auto half) GS_INLINE {
      vec<float>& p = parameter.*half;
      after.apply(rule, p, transforms.before(gradient.*half, p), states[state].*half...);
    };
    update_half(&register_pair::first);
    update_half(&register_pair::second);
    const bool with_nan = separated && has_nan(parameter, states[state]...);
    p.write(i, parameter, with_nan);
    (write_state<Rule, state>(s[state], i, states[state], with_nan), ...);
    if (has_results) results.write(i, parameter, with_nan);
  }
}

template <class Rule>
void apply_stored(const update& step, const stored_operands& x) {
  constexpr auto states = std::make_integer_sequence<int, Rule::states>{};
  if (suits_separated(x)) {
    apply_stored<Rule, true>(step, x, states);
  } else {
    apply_stored<Rule, false>(step, x, states);
  }
}

#endif

template <class Rule, class T>
constexpr decltype(rule_body::apply_stored) apply_stored_of() {
#if !defined(GS_SCALAR)
  if constexpr (std::is_same_v<T, float>) return apply_stored<Rule>;
#endif
  return nullptr;
}

template <class Rule>
void make_rule_constants(const double* hyper, step_context& now, void* constants) {
  typename Rule::hyper h;
  if constexpr (!__is_empty(typename Rule::hyper)) __builtin_memcpy(&h, hyper, sizeof h);
  *static_cast<Rule*>(constants) = Rule::at(h, now);
}

}  // namespace gradstep::GS_TARGET
