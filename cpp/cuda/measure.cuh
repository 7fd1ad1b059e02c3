// The sums over a tensor that a rule asks for before the first write, on a device.
#pragma once

#include "../element.h"
#include "../rules/rule.h"
#include "arrays.cuh"
#include "reduce.cuh"

namespace gradstep::GS_TARGET {

// One element's products, of the arrays that the rule reads.
template <class Rule, class T>
struct rule_measure {
  const device_plan_view& plan;
  const device_tensor& tensor;
  const device_array& gradient;
  const device_row& row;
  const Rule rule;
  const gradient_path<T> path;

  __device__ rule_measure(const device_plan_view& plan, int index)
      : plan(plan),
        tensor(plan.tensors[index]),
        gradient(plan.gradients[index]),
        row(plan.rows[index]),
        rule(*reinterpret_cast<const Rule*>(row.rule)),
        path(gradient_path<T>::of(row.gradient)) {}

  __device__ __forceinline__ T at(const device_array& array, int64_t i) const {
    return read<T>(place(array, plan.layouts, i), array.type);
  }

  __device__ __forceinline__ T prepared(int64_t i) const {
    const T g = at(gradient, i);
    if (!row.prepares_gradient) return g;
    const T clipped = path.clipped(g);
    if (measurement_of<Rule>.before_decay || row.gradient.decay == 0) return clipped;
    return path.decayed(clipped, at(tensor.parameter, i));
  }

  template <int k>
  __device__ __forceinline__ T state(int64_t i) const {
    if constexpr ((Rule::measured & measured_state(k)) != 0) return at(tensor.states[k], i);
    return T(0);
  }

  template <int... k>
  __device__ __forceinline__ products<T> of(int64_t i, std::integer_sequence<int, k...>) const {
    T p = T(0);
    if constexpr ((Rule::measured & measured_parameter) != 0) p = at(tensor.parameter, i);
    return rule.measure(p, prepared(i), state<k>(i)...);
  }

  __device__ __forceinline__ sums leaf(int64_t first, int64_t end) const {
    sums lane;
    const auto load = [&](int64_t i) { return of(i, std::make_integer_sequence<int, Rule::states>{}); };
    visit_lane(first, end, load, [&](const products<T>& found) {
      lane.rule[0] = fma(double(found.first), double(found.by_first), lane.rule[0]);
      lane.rule[1] = fma(double(found.second), double(found.by_second), lane.rule[1]);
    });
    return lane;
  }
};

template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    measure_rule_kernel(device_plan_view plan, int first_chunk) {
  if (plan.report->skipped) return;
  const int index = first_chunk + int(blockIdx.x);
  const rule_measure<Rule, T> on(plan, plan.chunks[index].tensor);
  sum_chunk<of_rules>(plan, index,
                      [&](int64_t first, int64_t end, int lane) { return on.leaf(first + lane, end); });
}

}  // namespace gradstep::GS_TARGET
