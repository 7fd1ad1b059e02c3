// A chunk of one tensor, which one thread block takes, and the loop over its elements.
#pragma once

#include "cuda/access.cuh"

namespace gradstep::GS_TARGET {

__device__ __forceinline__ int64_t end_of(const device_plan_view& plan, const device_chunk& chunk) {
  const int64_t size = plan.tensors[chunk.tensor].size;
  return size - chunk.first < chunk_elements ? size : chunk.first + chunk_elements;
}

__device__ __forceinline__ array_access access_to(const device_plan_view& plan, int tensor) {
  return plan.tensors[tensor].access & plan.gradients[tensor].access;
}

// The chunks of a plan that a launch visits, starting at one, each cut into parts with a block each. Memory
// is fastest if a block takes little, but an empty block costs time, so the number of parts depends on the
// tensors' sizes.
struct visited_chunks {
  int32_t first, parts;
};

// A block's part; it is empty where the chunk ends before it.
struct chunk_part {
  int tensor;
  int64_t first, end;
};

__device__ __forceinline__ chunk_part part_of(const device_plan_view& plan, const visited_chunks& visited) {
  const device_chunk chunk = plan.chunks[visited.first + int(blockIdx.x) / visited.parts];
  const int64_t size = chunk_elements / visited.parts;
  const int64_t first = chunk.first + int(blockIdx.x) % visited.parts * size;
  const int64_t rest = plan.tensors[chunk.tensor].size - first;
  return {chunk.tensor, first, first + (rest < size ? rest : size)};
}

__device__ __forceinline__ void zero_singles(const device_plan_view& plan, const chunk_part& part) {
  const device_array gradient = plan.gradients[part.tensor];
  for (int64_t i = part.first + int64_t(threadIdx.x); i < part.end; i += block_threads)
    placed_access<float>::store(gradient, plan.layouts, i, {});
}
__device__ __forceinline__ void zero_gradient(const device_plan_view& plan, const device_chunk& chunk) {
  zero_singles(plan, {chunk.tensor, chunk.first, end_of(plan, chunk)});
}

// Calls change(load(i), i) for the elements at i, i + stride and so on up to the end, `count` at each, with
// `in_flight` loads outstanding.
template <int count, int in_flight, class Load, class Change>
__device__ __forceinline__ void visit(int64_t i, int64_t end, int64_t stride, const Load& load,
                                      const Change& change) {
  for (; i + count <= end; i += in_flight * stride) {
    decltype(load(i)) found[in_flight];
    const auto is_there = [&](int k) { return k == 0 || i + k * stride + count <= end; };
    // Elements past the end are loaded from another place: a branch would wait for the loads before it.
    GS_UNROLL
    for (int k = 0; k < in_flight; ++k) found[k] = load(is_there(k) ? i + k * stride : i);
    GS_UNROLL
    for (int k = 0; k < in_flight; ++k)
      if (is_there(k)) change(found[k], i + k * stride);
  }
}

// For all threads of the block. Returns where the elements begin that are too few for a whole access.
template <int count, int in_flight, int threads = block_threads, class Load, class Change>
__device__ __forceinline__ int64_t visit_block(int64_t first, int64_t end, const Load& load,
                                               const Change& change) {
  visit<count, in_flight>(first + int64_t(threadIdx.x) * count, end, int64_t(threads) * count, load, change);
  return end - (end - first) % count;
}

}  // namespace gradstep::GS_TARGET
