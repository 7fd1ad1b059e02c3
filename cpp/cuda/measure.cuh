// The sums over a tensor that a rule measures before the first write, on a device.
#pragma once

#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"
#include "rules/rule.h"

namespace gradstep::GS_TARGET {

// One element's products, of the arrays that the rule reads.
template <class Rule, class T>
struct rule_measure {
  const device_plan_view& plan;
  const device_tensor& tensor;
  const device_array& gradient;
  const device_row& row;
  const Rule rule;
  const transform_gradient<T> transform;
  const bool transforms;

  __device__ rule_measure(const device_plan_view& plan, int index)
      : plan(plan),
        tensor(plan.tensors[index]),
        gradient(plan.gradients[index]),
        row(plan.rows[index]),
        rule(*reinterpret_cast<const Rule*>(row.rule)),
        transform(seen(row.gradient)),
        transforms(row.transforms_gradient) {}

  __device__ static gradient_transform seen(gradient_transform stage) {
    if (measurement_of<Rule>.before_decay) stage.decay = 0;
    return stage;
  }

  __device__ bool reads_parameter() const {
    return (Rule::measured & measured_parameter) != 0 || transform.decay != 0;
  }

  __device__ __forceinline__ sums leaf(int64_t first, int64_t end) const {
    return (tensor.access & gradient.access).contiguous ? leaf_by<contiguous_access<T>>(first, end)
                                                        : leaf_by<placed_access<T>>(first, end);
  }

  template <class Access>
  __device__ __forceinline__ sums leaf_by(int64_t first, int64_t end) const {
    using loaded = of_arrays<Rule, typename Access::loaded>;
    const arrays_for<Rule, Access> arrays(tensor, gradient);
    sums lane;
    const auto load = [&](int64_t i) {
      loaded bits = {};
      const auto load_one = [&](const device_array& array) { return Access::load(array, plan.layouts, i); };
      bits.g = load_one(arrays.gradient);
      if (reads_parameter()) bits.p = load_one(arrays.parameter);
      GS_UNROLL
      for (int k = 0; k < Rule::states; ++k)
        if (Rule::measured & measured_state(k)) bits.s[k] = load_one(arrays.states[k]);
      return bits;
    };
    visit<1, 4>(first, end, warp_size, load, [&](const loaded& bits, int64_t) {
      const products<T> found =
          measured<Access>(arrays, bits, std::make_integer_sequence<int, Rule::states>{});
      lane.rule[0] = fma(double(found.first), double(found.by_first), lane.rule[0]);
      lane.rule[1] = fma(double(found.second), double(found.by_second), lane.rule[1]);
    });
    return lane;
  }

  template <class Access, class Arrays, class Loaded, int... k>
  __device__ __forceinline__ products<T> measured(const Arrays& arrays, const Loaded& bits,
                                                  std::integer_sequence<int, k...>) const {
    const auto decode = [](const typename Access::loaded& x, const device_array& array) {
      return Access::decode(x, array.type).x[0];
    };
    const T p = reads_parameter() ? decode(bits.p, arrays.parameter) : T(0);
    const T g = decode(bits.g, arrays.gradient);
    return rule.measure(
        p, transforms ? transform(g, p) : g,
        (Rule::measured & measured_state(k)) != 0 ? decode(bits.s[k], arrays.states[k]) : T(0)...);
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
