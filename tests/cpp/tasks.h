// Tasks for tests: what a step visits, without a plan.
#pragma once

#include "arrays.h"
#include "host/task.h"

namespace checks {

// A task that has a gradient alone.
inline gradstep::tensor_task gradient_task(const array& gradient) {
  gradstep::tensor_task task;
  const auto order = gradstep::memory_order(gradient.view());
  task.parameter = task.gradient = gradstep::operand(gradient.view(), order);
  task.type = gradstep::arithmetic_of(gradient.view().type);
  task.size = gradient.view().size();
  return task;
}

inline std::vector<gradstep::tensor_task*> pointers(std::vector<gradstep::tensor_task>& tasks) {
  std::vector<gradstep::tensor_task*> all;
  for (gradstep::tensor_task& each : tasks) all.push_back(&each);
  return all;
}

// Gradients of any sizes and formats, some of them strided and some of them in many leaves.
inline std::vector<array> any_gradients(random_numbers& random, int count) {
  std::vector<array> made;
  for (int i = 0; i < count; ++i) {
    const shape of = {random.between(1, 200), random.between(1, 200)};
    made.push_back(any_array(random, every_dtype[random.between(0, 3)], of));
    made.back().fill([&] { return random.wide(); });
  }
  return made;
}

inline std::vector<gradstep::tensor_task> gradient_tasks(const std::vector<array>& gradients) {
  std::vector<gradstep::tensor_task> tasks;
  for (const array& each : gradients) tasks.push_back(gradient_task(each));
  return tasks;
}

inline bool same_bits(double a, double b) { return same_bits_as<uint64_t>(a) == same_bits_as<uint64_t>(b); }
inline bool same_sums(const gradstep::sums& a, const gradstep::sums& b) {
  return same_bits(a.gradient, b.gradient) && a.nonfinite == b.nonfinite && same_bits(a.change, b.change) &&
         same_bits(a.parameter, b.parameter) && same_bits(a.rule[0], b.rule[0]) &&
         same_bits(a.rule[1], b.rule[1]);
}

}  // namespace checks
