// The loop of rules that must know something of a tensor before they write: two sums of products.
#pragma once

#include <utility>

#include "../math.h"
#include "target.h"

namespace gradstep::GS_TARGET {

template <class Rule>
inline constexpr bool measures = requires { Rule::measured; };

template <class Rule>
constexpr measurement measurement_of() {
  if constexpr (measures<Rule>) {
    return {Rule::measured, requires { Rule::measures_all; }, requires { Rule::measures_before_decay; }};
  } else {
    return {};
  }
}

// The operand's numbers from i on, or zeros for one that is not read.
template <bool is_read, class T>
GS_HD vec<T> load_measured(const void* from, int64_t i, int count) {
  if constexpr (!is_read) return vec<T>(T(0));
  const T* const numbers = static_cast<const T*>(from) + i;
  return count < lanes<T> ? load_part(numbers, count) : load(numbers);
}

// Adds the rule's products to the lanes; element 0 of x belongs to lane 0.
template <class Rule, class T, int... state>
void measure_rule(const void* constants, const operands& x, rule_lanes& sums,
                  std::integer_sequence<int, state...>) {
  const Rule rule = *static_cast<const Rule*>(constants);
  alignas(64) T factors[4][sum_lanes];
  for (int64_t i = 0; i < x.n; i += sum_lanes) {
    const int count = int(x.n - i < sum_lanes ? x.n - i : sum_lanes);
    for (int lane = 0; lane < count; lane += lanes<T>) {
      const int64_t at = i + lane;
      const int rest = count - lane;
      const products<vec<T>> found = rule.measure(
          load_measured<(Rule::measured & measured_parameter) != 0, T>(x.p, at, rest),
          load_measured<true, T>(x.g, at, rest),
          load_measured<(Rule::measured & measured_state(state)) != 0, T>(x.s[state], at, rest)...);
      store(factors[0] + lane, found.first);
      store(factors[1] + lane, found.by_first);
      store(factors[2] + lane, found.second);
      store(factors[3] + lane, found.by_second);
    }
    for (int sum = 0; sum < 2; ++sum)
      for (int lane = 0; lane < count; ++lane)
        sums[sum][lane] =
            fma(double(factors[2 * sum][lane]), double(factors[2 * sum + 1][lane]), sums[sum][lane]);
  }
}

template <class Rule, class T>
void measure_rule(const void* constants, const operands& x, rule_lanes& sums) {
  measure_rule<Rule, T>(constants, x, sums, std::make_integer_sequence<int, Rule::states>{});
}

template <class Rule, class T>
constexpr decltype(rule_body::measure) measure_of() {
  if constexpr (measures<Rule>) {
    return measure_rule<Rule, T>;
  } else {
    return nullptr;
  }
}

}  // namespace gradstep::GS_TARGET
