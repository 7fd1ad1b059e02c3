// The transforms of a step in registers: of the gradient before the rule; the average, and the gradient's
// zeros, after it.
#pragma once

#include <type_traits>

#include "host/simd/target.h"
#include "numeric/prefetch.h"
#include "step/element.h"

namespace gradstep::GS_TARGET {

// A register's place in the arrays: all of it, or at the end of a run the first `count` elements.
struct whole_register {};
struct part_of_register {
  int count;
};

// Calls visit(first, place) for each register of a run of n numbers.
template <class T, class Visit>
GS_HD void for_each_register(int64_t n, Visit visit) {
  int64_t i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) visit(i, whole_register{});
  if (i < n) visit(i, part_of_register{int(n - i)});
}

template <class T>
GS_HD vec<T> load(const T* from, whole_register) {
  return load(from);
}
template <class T>
GS_HD vec<T> load(const T* from, part_of_register part) {
  return load_part(from, part.count);
}
template <class T>
GS_HD void store(T* to, vec<T> x, whole_register) {
  store(to, x);
}
template <class T>
GS_HD void store(T* to, vec<T> x, part_of_register part) {
  store_part(to, x, part.count);
}

// The same of an array that a loop reads from its first element on.
template <class T, class Part>
GS_HD vec<T> read(const T* array, int64_t i, Part part) {
  if constexpr (std::is_same_v<Part, whole_register>) prefetch<lanes<T>>(array, i);
  return load(array + i, part);
}
template <class T>
GS_HD vec<T> read_up_to(const T* array, int64_t i, int64_t count) {
  return count < lanes<T> ? read(array, i, part_of_register{int(count)}) : read(array, i, whole_register{});
}

template <class T>
struct no_transforms {
  GS_HD no_transforms(const update&, const operands&) {}

  GS_HD vec<T> before(vec<T> gradient, vec<T>) const { return gradient; }

  template <class Part>
  GS_HD void after(vec<T>, int64_t, Part) const {}
};

// The transforms before a rule, where a step has them.
template <class T>
struct before_rule {
  bool transforms_gradient;
  transform_gradient<T> transform;

  GS_HD explicit before_rule(const update& step)
      : transforms_gradient(step.gradient),
        transform(transforms_gradient ? *step.gradient : gradient_transform{}) {}

  GS_HD vec<T> before(vec<T> gradient, vec<T> parameter) const {
    return transforms_gradient ? transform(gradient, parameter) : gradient;
  }
};

template <class T>
struct all_transforms : before_rule<T> {
  T* averages;
  T weight;
  T* zeroed;

  GS_HD all_transforms(const update& step, const operands& x)
      : before_rule<T>(step),
        averages(static_cast<T*>(x.average)),
        weight(T(step.average_weight)),
        zeroed(static_cast<T*>(x.zeroed)) {}

  // average += weight * (p - average)
  template <class Part>
  GS_HD void after(vec<T> parameter, int64_t i, Part part) const {
    if (averages) store(averages + i, lerp(read(averages, i, part), parameter, weight), part);
    if (zeroed) store(zeroed + i, vec<T>(T(0)), part);
  }
};

}  // namespace gradstep::GS_TARGET
