// The constants of a step on a device: from the groups' numbers, their schedules and each tensor's time to
// the row that its update reads. One thread per tensor.
#pragma once

#include <type_traits>

#include "cuda/gradients.cuh"
#include "cuda/rule_number.h"
#include "cuda/runtime.h"
#include "schedules/evaluate.h"
#include "step/element.h"

namespace gradstep::GS_TARGET {

__device__ __forceinline__ double scheduled(const device_plan_view& plan, const device_source& by) {
  const program code = {plan.instructions + by.first_instruction, plan.numbers + by.first_number, by.length};
  double value;
  evaluate_steps<1>(code, &plan.report->updates, &value, 1);
  return value;
}

// A group's numbers at this update.
__device__ __forceinline__ group_numbers numbers_of(const device_plan_view& plan, const device_group& group) {
  group_numbers numbers = group.numbers;
  for (int i = group.first_source; i < group.last_source; ++i) {
    const device_source& each = plan.sources[i];
    const double value = each.scalar.data ? each.scalar.get() : scheduled(plan, each);
    numbers[each.number] = value * each.factor;
  }
  return numbers;
}

template <class Rule>
__device__ __forceinline__ void make_rule_of(const group_numbers& numbers, step_context& now,
                                             unsigned char* constants) {
  static_assert(sizeof(Rule) <= constants_bytes);
  typename Rule::hyper h;
  if constexpr (!std::is_empty_v<typename Rule::hyper>) {
    static_assert(sizeof h <= sizeof(double) * hyper_limit);
    __builtin_memcpy(&h, numbers.values, sizeof h);
  }
  *reinterpret_cast<Rule*>(constants) = Rule::at(h, now);
}

template <template <class> class Rule>
__device__ __forceinline__ void make_rule_of(const device_plan_view& plan, int index, bool before_measuring,
                                             const group_numbers& numbers, step_context& now,
                                             unsigned char* constants) {
  const device_tensor& tensor = plan.tensors[index];
  if constexpr (measures<Rule<float>>) {
    constexpr bool over_all = measurement_of<Rule<float>>.over_all;
    const sums& found = plan.totals[over_all ? plan.tensor_count + plan.group_count : index];
    now.elements = double(tensor.size);
    for (int i = 0; i < 2; ++i) now.measured[i] = before_measuring ? 0 : found.rule[i];
  }
  if (tensor.type == arithmetic::f64)
    make_rule_of<Rule<double>>(numbers, now, constants);
  else
    make_rule_of<Rule<float>>(numbers, now, constants);
}

__device__ __forceinline__ double norm_of(const device_plan_view& plan, const device_step& step, int group) {
  if (step.lagged) return plan.report->last_norm;
  const bool alone = plan.groups[group].options.clip_by_group;
  return sqrt(plan.totals[plan.tensor_count + (alone ? group : plan.group_count)].gradient);
}

__device__ __forceinline__ void make_row(const device_plan_view& plan, const device_step& step, int index,
                                         bool before_measuring) {
  const device_tensor& tensor = plan.tensors[index];
  const device_group& group = plan.groups[tensor.group];
  const device_clock& clock = plan.clocks[tensor.index];
  device_row& row = plan.rows[index];
  const group_numbers numbers = numbers_of(plan, group);
  step_options options = group.options;
  options.clip_norm = numbers[clip_norm_number];
  options.clip_value = numbers[clip_value_number];
  options.ema = numbers[ema_number];
  step_context now = tensor.time().next(clock.t, clock.fresh);
  options.complete(now, numbers[lr_number], numbers[weight_decay_number]);
  switch (rule_number(group.rule)) {
#define GS_RULE(name)                                                          \
  case rule_number::name:                                                      \
    make_rule_of<name>(plan, index, before_measuring, numbers, now, row.rule); \
    break;
#include "rules/list.h"
#undef GS_RULE
  }
  const double clip_factor =
      options.clip_norm == no_limit ? 1 : options.clip_factor(norm_of(plan, step, tensor.group));
  make_constants(row, options, now, unscale_of(step), clip_factor);
  row.after = now;
}

__device__ __forceinline__ bool is_skipped(const device_plan_view& plan, const device_step& step) {
  return step.skip || (step.found_inf.data && step.found_inf.get() != 0) ||
         (step.skip_nonfinite && plan.report->all.nonfinite > 0);
}

// Advances the tensors' times and the count of updates, once all tensors have read their numbers, some of
// which are shared.
__device__ __forceinline__ void advance(const device_plan_view& plan, const device_step& step) {
  for (int i = int(threadIdx.x); i < plan.tensor_count; i += block_threads) {
    const device_tensor& tensor = plan.tensors[i];
    const step_context& after = plan.rows[i].after;
    tensor.time().set(after);
    device_clock& clock = plan.clocks[tensor.index];
    clock.t = after.t;
    clock.fresh = false;
  }
  if (threadIdx.x != 0 || step.ahead) return;
  ++plan.report->updates;
  if (step.lagged && plan.chunk_count == 0) plan.report->last_norm = 0;
}

GS_HD int prepare_blocks(const device_plan_view& plan) {
  return plan.tensor_count > block_threads ? (plan.tensor_count + block_threads - 1) / block_threads : 1;
}

// `before_measuring` nothing is advanced.
__device__ __forceinline__ void prepare_step(const device_plan_view& plan, const device_step& step,
                                             bool before_measuring) {
  device_report& report = *plan.report;
  const bool skipped = is_skipped(plan, step);
  __syncthreads();  // all have read the report; other blocks read nothing that is written here
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    report.skipped = skipped;
    if (!step.knows_norm && (skipped || plan.chunk_count == 0)) report.all = sums{};  // no kernel forms them
  }
  if (skipped) return;
  const int mine = int(blockIdx.x) * block_threads + int(threadIdx.x);
  if (mine < plan.tensor_count) make_row(plan, step, mine, before_measuring);
  if (!before_measuring && is_last(plan.arrived + of_prepare, prepare_blocks(plan))) advance(plan, step);
}

__global__ void __launch_bounds__(block_threads, 1)
    prepare_kernel(device_plan_view plan, device_step step, bool before_measuring) {
  prepare_step(plan, step, before_measuring);
}

}  // namespace gradstep::GS_TARGET
