// A chunk of one tensor: what a thread block takes.
#pragma once

#include "arrays.cuh"

namespace gradstep::GS_TARGET {

__device__ __forceinline__ int64_t end_of(const device_plan_view& plan, const device_chunk& chunk) {
  const int64_t size = plan.tensors[chunk.tensor].size;
  return size - chunk.first < chunk_elements ? size : chunk.first + chunk_elements;
}

__device__ __forceinline__ void zero_gradient(const device_plan_view& plan, const device_chunk& chunk) {
  const device_array gradient = plan.gradients[chunk.tensor];
  const int64_t end = end_of(plan, chunk);
  for (int64_t i = chunk.first + int64_t(threadIdx.x); i < end; i += block_threads)
    placed_access<float>::store(gradient, plan.layouts, i, {});
}

}  // namespace gradstep::GS_TARGET
