// Standalone operations: the transforms of a step, without a rule.
#pragma once

#include "host/simd/transforms.h"

namespace gradstep::GS_TARGET {

template <class T>
void transform_gradients(void* gradient, int64_t n, const gradient_transform& stage) {
  T* const g = static_cast<T*>(gradient);
  update step = {};
  step.gradient = &stage;
  const all_transforms<T> transforms(step, operands{});
  for_each_register<T>(n, [&](int64_t i, auto part) {
    store(g + i, transforms.before(read(g, i, part), vec<T>(T(0))), part);
  });
}

template <class T>
void average(void* averages, const void* parameter, int64_t n, double weight) {
  const T* const p = static_cast<const T*>(parameter);
  update step = {};
  step.average_weight = weight;
  operands x = {};
  x.average = averages;
  const all_transforms<T> transforms(step, x);
  for_each_register<T>(n, [&](int64_t i, auto part) { transforms.after(read(p, i, part), i, part); });
}

}  // namespace gradstep::GS_TARGET
