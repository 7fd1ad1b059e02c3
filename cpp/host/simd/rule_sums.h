// The loop of rules that measure a tensor before they write: two sums of products.
#pragma once

#include <utility>

#include "host/simd/target.h"
#include "host/simd/transforms.h"
#include "rules/rule.h"
#include "step/element.h"

namespace gradstep::GS_TARGET {

// Numbers of an operand, or zeros of one that is not read.
template <bool is_read, class T>
GS_HD vec<T> read_measured(const void* from, int64_t i, int count) {
  if constexpr (!is_read) return vec<T>(T(0));
  return read_up_to(static_cast<const T*>(from), i, count);
}

// The terms of one element for each lane of the sums, or fewer at the end of a run, as factors.
template <class T>
struct alignas(64) measured_row {
  T factors[4][sum_lanes];

  template <class Rule, int... state>
  GS_HD void fill(const Rule& rule, const all_transforms<T>& transforms, const operands& x, int64_t first,
                  int count, std::integer_sequence<int, state...>) {
    for (int lane = 0; lane < count; lane += lanes<T>) {
      const int64_t at = first + lane;
      const int rest = count - lane;
      const vec<T> parameter = x.p ? read_measured<true, T>(x.p, at, rest) : vec<T>(T(0));
      const products<vec<T>> found = rule.measure(
          parameter, transforms.before(read_measured<true, T>(x.g, at, rest), parameter),
          read_measured<(Rule::measured & measured_state(state)) != 0, T>(x.s[state], at, rest)...);
      store(factors[0] + lane, found.first);
      store(factors[1] + lane, found.by_first);
      store(factors[2] + lane, found.second);
      store(factors[3] + lane, found.by_second);
    }
    for (T* factor : factors)
      for (int lane = count; lane < sum_lanes; ++lane) factor[lane] = 0;
  }

  GS_HD void add_to(rule_lanes& sums) const {
    for (int sum = 0; sum < 2; ++sum)
      for (int lane = 0; lane < sum_lanes; ++lane)
        sums[sum][lane] =
            fma(double(factors[2 * sum][lane]), double(factors[2 * sum + 1][lane]), sums[sum][lane]);
  }
};

// Adds the rule's products to the lanes; element 0 of x belongs to lane 0.
template <class Rule, class T>
void measure_rule(const update& step, const operands& x, rule_lanes& lanes) {
  constexpr auto states = std::make_integer_sequence<int, Rule::states>{};
  const Rule rule = *static_cast<const Rule*>(step.rule);
  const all_transforms<T> transforms(step, x);
  measured_row<T> row;
  rule_lanes sums;
  __builtin_memcpy(sums, lanes, sizeof sums);
  int64_t i = 0;
  for (; i + sum_lanes <= x.n; i += sum_lanes) {
    row.fill(rule, transforms, x, i, sum_lanes, states);
    row.add_to(sums);
  }
  if (i < x.n) {
    row.fill(rule, transforms, x, i, int(x.n - i), states);
    row.add_to(sums);
  }
  __builtin_memcpy(lanes, sums, sizeof sums);
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
