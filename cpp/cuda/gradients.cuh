// The gradients' sums before the first write, on a device; and after it, the reports of updates that were
// made one by one, joined.
#pragma once

#include "cuda/arrays.cuh"
#include "cuda/reduce.cuh"
#include "step/element.h"

namespace gradstep::GS_TARGET {

__device__ __forceinline__ double unscale_of(const device_step& step) {
  return step.grad_scale.data ? 1 / step.grad_scale.get() : step.unscale;
}

template <class Access, int in_flight, class T>
__device__ __forceinline__ sums measure_gradient_by(const device_plan_view& plan, int tensor, T unscale,
                                                    int64_t first, int64_t end) {
  const device_array gradient = plan.gradients[tensor];
  sums lane;
  const auto load = [&](int64_t i) { return Access::load(gradient, plan.layouts, i); };
  visit<1, in_flight>(first, end, warp_size, load, [&](const typename Access::loaded& loaded, int64_t) {
    const T g = Access::decode(loaded, gradient.type).x[0] * unscale;
    lane.gradient = add_square(lane.gradient, g);
    lane.nonfinite = add_nonfinite(lane.nonfinite, g);
  });
  return lane;
}

template <int in_flight, class T>
__device__ __forceinline__ sums measure_gradient(const device_plan_view& plan, int tensor, T unscale,
                                                 int64_t first, int64_t end) {
  return plan.gradients[tensor].by.straight
             ? measure_gradient_by<straight_access<T>, in_flight>(plan, tensor, unscale, first, end)
             : measure_gradient_by<placed_access<T>, in_flight>(plan, tensor, unscale, first, end);
}

// By all thread blocks, with so many loads on their way at once.
template <int in_flight>
__device__ __forceinline__ void measure_gradients_of(const device_plan_view& plan, const device_step& step) {
  const int tensor = plan.chunks[blockIdx.x].tensor;
  const double unscale = unscale_of(step);
  const bool last = sum_chunk<of_gradients>(plan, int(blockIdx.x), [&](int64_t first, int64_t end, int lane) {
    return plan.tensors[tensor].type == arithmetic::f64
               ? measure_gradient<in_flight>(plan, tensor, unscale, first + lane, end)
               : measure_gradient<in_flight>(plan, tensor, float(unscale), first + lane, end);
  });
  if (last && threadIdx.x == 0)
    plan.report->all.take_gradient(plan.totals[plan.tensor_count + plan.group_count]);
}

__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    measure_gradients_kernel(device_plan_view plan, device_step step) {
  measure_gradients_of<8>(plan, step);
}

// One thread block.
__global__ void __launch_bounds__(block_threads, 1)
    join_reports_kernel(device_plan_view plan, const int32_t* tensors, int count, bool lagged) {
  for (int i = block_team::rank(); i < count; i += block_team::size)
    plan.scratch[i] = plan.clocks[tensors[i]].measured;
  block_team::wait();
  add_pairwise<block_team>(plan.scratch, count);
  if (block_team::rank() != 0) return;
  const sums all = count > 0 ? plan.scratch[0] : sums{};
  plan.report->all.take_gradient(all);
  plan.report->all.take_change(all);
  if (lagged) plan.report->last_norm = sqrt(all.gradient);
}

}  // namespace gradstep::GS_TARGET
