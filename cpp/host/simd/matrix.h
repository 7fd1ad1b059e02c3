// The loops of rules that see their tensor as a matrix: sums over rows and columns, numbers made of them, and
// directions that are written to memory, changed row by row and then used for the descent.
#pragma once

#include <utility>

#include "host/simd/loop.h"
#include "rules/rule.h"

namespace gradstep::GS_TARGET {

template <class Rule, class T>
void reduce_part(const update& step, const operands& x, double* row_lanes, double* columns) {
  const Rule rule = *static_cast<const Rule*>(step.rule);
  const all_transforms<T> transforms(step, x);
  const T* const p = static_cast<const T*>(x.p);
  const T* const g = static_cast<const T*>(x.g);
  for (int64_t i = 0; i < x.n; i += sum_lanes) {
    const int count = x.n - i < sum_lanes ? int(x.n - i) : sum_lanes;
    alignas(64) T first[sum_lanes], second[sum_lanes];
    for (int lane = 0; lane < count; lane += lanes<T>) {
      const vec<T> parameter = p ? read_up_to(p, i + lane, count - lane) : vec<T>(T(0));
      const vec<T> gradient = transforms.before(read_up_to(g, i + lane, count - lane), parameter);
      const factors<vec<T>> found = rule.reduced(gradient);
      store(first + lane, found.first);
      store(second + lane, found.second);
    }
    for (int lane = 0; lane < count; ++lane)
      row_lanes[lane] = fma(double(first[lane]), double(second[lane]), row_lanes[lane]);
    if (!columns) continue;
    for (int lane = 0; lane < count; ++lane)
      columns[i + lane] = fma(double(first[lane]), double(second[lane]), columns[i + lane]);
  }
}

template <class Rule, class T>
void renew(const void* constants, int state, const void* before, const double* sums, double count,
           void* after, int64_t n) {
  const Rule rule = *static_cast<const Rule*>(constants);
  const T* const from = static_cast<const T*>(before);
  T* const to = static_cast<T*>(after);
  for (int64_t i = 0; i < n; ++i) to[i] = T(rule.renew(state, double(from[i]), sums[i], count));
}

template <class Rule, class T, int... state>
void direct(const update& step, const operands& x, T* directions, std::integer_sequence<int, state...>) {
  static_assert(!writes_parameter<Rule>);
  const Rule rule = *static_cast<const Rule*>(step.rule);
  const all_transforms<T> transforms(step, x);
  const T* const p = static_cast<const T*>(x.p);
  const T* const g = static_cast<const T*>(x.g);
  [[maybe_unused]] T* const s[] = {static_cast<T*>(x.s[state])..., nullptr};
  for_each_register<T>(x.n, [&](int64_t i, auto part) {
    const vec<T> parameter = read(p, i, part);
    [[maybe_unused]] vec<T> states[] = {read(s[state], i, part)..., vec<T>(T(0))};
    const vec<T> gradient = transforms.before(read(g, i, part), parameter);
    store(directions + i, descent<vec<T>>::direction(rule, parameter, gradient, states[state]...), part);
    (store_state<Rule, state>(s[state] + i, states[state], part), ...);
    transforms.after(parameter, i, part);
  });
}

template <class Rule, class T>
void direct(const update& step, const operands& x, void* directions) {
  direct<Rule>(step, x, static_cast<T*>(directions), std::make_integer_sequence<int, Rule::states>{});
}

template <class Rule, class T>
void transform_row(const void* constants, void* directions, int64_t columns) {
  const Rule rule = *static_cast<const Rule*>(constants);
  T* const u = static_cast<T*>(directions);
  alignas(64) T found[sum_lanes] = {};
  for (int64_t i = 0; i < columns; i += sum_lanes)
    for (int lane = 0; lane < sum_lanes && i + lane < columns; lane += lanes<T>)
      store(found + lane,
            rule.join(load(found + lane), rule.direction_term(read_up_to(u, i + lane, columns - i - lane))));
  for (int half = sum_lanes / 2; half > 0; half /= 2)
    for (int lane = 0; lane < half; ++lane) found[lane] = rule.join(found[lane], found[lane + half]);
  const vec<T> of_row(found[0]);
  for_each_register<T>(
      columns, [&](int64_t i, auto part) { store(u + i, rule.change(read(u, i, part), of_row), part); });
}

template <class Rule, class T>
constexpr matrix_body matrix_of() {
  matrix_body found = {};
  if constexpr (reduces<Rule>) {
    found.reduce = reduce_part<Rule, T>;
    found.renew = renew<Rule, T>;
  }
  if constexpr (transforms_direction<Rule>) {
    found.direct = direct<Rule, T>;
    found.transform_row = transform_row<Rule, T>;
  }
  return found;
}

}  // namespace gradstep::GS_TARGET
