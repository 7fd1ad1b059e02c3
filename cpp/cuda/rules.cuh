// Launching the kernels of one rule.
#pragma once

#include "cuda/launch.h"
#include "cuda/matrix.cuh"
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

template <class Rule, class T, reach by>
const char* launch_by(const device_plan_view& plan, const device_launch& part, cudaStream_t stream) {
  if (!(part.reaches & 1u << int(by))) return nullptr;
  const auto blocks = unsigned((part.last_chunk - part.first_chunk) * part.parts);
  return launch(update_kernel<Rule, T, by>, blocks, update_threads<by>, stream, plan,
                {part.first_chunk, part.parts});
}

// Launches the kernels that write the parameters; each updates the tensors that it can reach.
template <class Rule, class T>
const char* launch_last(const device_plan_view& plan, const device_step& step, const device_launch& part,
                        void* to) {
  const auto stream = static_cast<cudaStream_t>(to);
  if (!step.stats) {
    if (const char* const error = launch_by<Rule, T, reach::native>(plan, part, stream)) return error;
    if constexpr (sizeof(T) == sizeof(float))
      if (const char* const error = launch_by<Rule, T, reach::stored>(plan, part, stream)) return error;
    return launch_by<Rule, T, reach::single>(plan, part, stream);
  }
  const auto blocks = unsigned(part.last_chunk - part.first_chunk);
  return launch(update_with_stats_kernel<Rule, T>, blocks, block_threads, stream, plan, part.first_chunk,
                step);
}

// Launches the kernels before these, for a rule that sees its tensors as matrices: for its states, then for
// its directions.
template <class Rule, class T>
const char* launch_reductions(const device_plan_view& plan, const device_launch& part, void* to) {
  const auto stream = static_cast<cudaStream_t>(to);
  const auto bands = unsigned(part.last_band - part.first_band),
             matrices = unsigned(part.last_matrix - part.first_matrix);
  if (const char* const error =
          launch(reduce_bands_kernel<Rule, T>, bands, block_threads, stream, plan, part.first_band))
    return error;
  return launch(renew_numbers_kernel<Rule, T>, matrices, block_threads, stream, plan, part.first_matrix);
}

template <class Rule, class T>
const char* launch_directions(const device_plan_view& plan, const device_launch& part, void* to) {
  const auto stream = static_cast<cudaStream_t>(to);
  const auto chunks = unsigned(part.last_chunk - part.first_chunk),
             bands = unsigned(part.last_band - part.first_band);
  if (const char* const error =
          launch(direct_kernel<Rule, T>, chunks, block_threads, stream, plan, part.first_chunk))
    return error;
  return launch(transform_rows_kernel<Rule, T>, bands, block_threads, stream, plan, part.first_band);
}

template <class Rule, class T>
const char* launch_update(const device_plan_view& plan, const device_step& step, const device_launch& part,
                          void* stream) {
  if constexpr (reduces<Rule> && !measures<Rule>)
    if (const char* const error = launch_reductions<Rule, T>(plan, part, stream)) return error;
  device_plan_view last = plan;
  device_launch last_part = part;
  if constexpr (transforms_direction<Rule>) {
    if (const char* const error = launch_directions<Rule, T>(plan, part, stream)) return error;
    last.gradients = plan.directions;
    last_part.reaches = all_reaches;  // a direction can be reached where a gradient can't
  }
  return launch_last<typename descending_rule<Rule>::type, T>(last, step, last_part, stream);
}

template <class Rule, class T>
const char* launch_measure(const device_plan_view& plan, const device_launch& part, void* stream) {
  if constexpr (reduces<Rule>)  // it measures the numbers after this update
    if (const char* const error = launch_reductions<Rule, T>(plan, part, stream)) return error;
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

// In the order of the list; only the entries of this part's own rules are filled (rules.cu).
template <int part>
const rule_launches* launches_of_part();

}  // namespace gradstep::GS_TARGET
