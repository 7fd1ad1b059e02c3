// Standalone operations on a device: gradients that are transformed or filled with zeros, averages and copies
// that follow their parameters.
#pragma once

#include "cuda/chunk.cuh"
#include "cuda/visits.cuh"
#include "step/element.h"

namespace gradstep::GS_TARGET {

struct of_one_array {
  static constexpr int packs = 4, singles = 8;
};
struct of_three_arrays {
  static constexpr int packs = 2, singles = 4;
};

template <class T>
__device__ __forceinline__ void transform_gradients_of(const device_plan_view& plan,
                                                       const device_chunk& chunk,
                                                       const gradient_transform& stage) {
  const device_array gradient = plan.gradients[chunk.tensor];
  const transform_gradient<T> transform(stage);
  const auto part = [&]<class Access, int in_flight>(int64_t first, int64_t end) {
    const auto load = [&](int64_t i) { return Access::load(gradient, plan.layouts, i); };
    const auto change = [&](const typename Access::loaded& bits, int64_t i) {
      auto g = Access::decode(bits, gradient.type);
      GS_UNROLL
      for (int k = 0; k < Access::count; ++k) g.x[k] = transform(g.x[k], T(0));
      Access::store(gradient, plan.layouts, i, g);
    };
    return visit_block<Access::count, in_flight>(first, end, load, change);
  };
  visit_by<T, of_one_array>(gradient.access, chunk.first, end_of(plan, chunk), part);
}

// Updates the average and the copy of a parameter, or one of them.
template <class T>
__device__ __forceinline__ void follow_parameter(const device_plan_view& plan, const device_chunk& chunk,
                                                 double weight) {
  const device_tensor& tensor = plan.tensors[chunk.tensor];
  const device_array parameter = tensor.parameter, average = tensor.average, copy = tensor.copy;
  const bool averages = average.data != nullptr, copies = copy.data != nullptr;
  const auto part = [&]<class Access, int in_flight>(int64_t first, int64_t end) {
    struct pair {
      typename Access::loaded p, average;
    };
    const auto load = [&](int64_t i) {
      pair bits = {};
      bits.p = Access::load(parameter, plan.layouts, i);
      if (averages) bits.average = Access::load(average, plan.layouts, i);
      return bits;
    };
    const auto follow = [&](const pair& bits, int64_t i) {
      const auto p = Access::decode(bits.p, parameter.type);
      if (averages) {
        auto a = Access::decode(bits.average, average.type);
        GS_UNROLL
        for (int k = 0; k < Access::count; ++k) a.x[k] = lerp(a.x[k], p.x[k], T(weight));
        Access::store(average, plan.layouts, i, a);
      }
      if (copies) store_copy<Access>(copy, plan.layouts, i, p);
    };
    return visit_block<Access::count, in_flight>(first, end, load, follow);
  };
  visit_by<T, of_three_arrays>(tensor.access, chunk.first, end_of(plan, chunk), part);
}

__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    transform_gradients_kernel(device_plan_view plan, gradient_transform stage) {
  const device_chunk chunk = plan.chunks[blockIdx.x];
  if (plan.tensors[chunk.tensor].type == arithmetic::f64)
    transform_gradients_of<double>(plan, chunk, stage);
  else
    transform_gradients_of<float>(plan, chunk, stage);
}

__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    zero_gradients_kernel(device_plan_view plan) {
  zero_gradient(plan, plan.chunks[blockIdx.x]);
}

__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    follow_parameters_kernel(device_plan_view plan, double weight) {
  const device_chunk chunk = plan.chunks[blockIdx.x];
  if (plan.tensors[chunk.tensor].type == arithmetic::f64)
    follow_parameter<double>(plan, chunk, weight);
  else
    follow_parameter<float>(plan, chunk, weight);
}

}  // namespace gradstep::GS_TARGET
