// Launching the kernels of one rule.
#pragma once

#include "cuda/launch.h"
#include "cuda/measure.cuh"
#include "cuda/update.cuh"
#include "device/engine_api.h"

namespace gradstep::GS_TARGET {

struct rule_launches {
  const char* (*update[2])(const device_plan_view&, const device_step&, const device_launch&,
                           void* stream);  // by arithmetic
  const char* (*measure[2])(const device_plan_view&, const device_launch&,
                            void* stream);  // null if it need not
};

template <class Rule, class T>
const char* launch_update(const device_plan_view& plan, const device_step& step, const device_launch& part,
                          void* stream) {
  const auto blocks = unsigned(part.last_chunk - part.first_chunk);
  if (!step.measure)
    return launch(update_kernel<Rule, T>, blocks, block_threads, static_cast<cudaStream_t>(stream), plan,
                  part.first_chunk);
  return launch(measured_update_kernel<Rule, T>, blocks, block_threads, static_cast<cudaStream_t>(stream),
                plan, part.first_chunk, step);
}

template <class Rule, class T>
const char* launch_measure(const device_plan_view& plan, const device_launch& part, void* stream) {
  const auto blocks = unsigned(part.last_chunk - part.first_chunk);
  return launch(measure_rule_kernel<Rule, T>, blocks, block_threads, static_cast<cudaStream_t>(stream), plan,
                part.first_chunk);
}

template <template <class> class Rule>
constexpr rule_launches launches_of() {
  rule_launches found = {{launch_update<Rule<float>, float>, launch_update<Rule<double>, double>}, {}};
  if constexpr (measures<Rule<float>>) {
    found.measure[0] = launch_measure<Rule<float>, float>;
    found.measure[1] = launch_measure<Rule<double>, double>;
  }
  return found;
}

// In the order of the list, but only those of the part's own rules are there: rules.cu.
template <int part>
const rule_launches* launches_of_part();

}  // namespace gradstep::GS_TARGET
