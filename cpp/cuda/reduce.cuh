// Sums over tensors on a device, by the tree that sums.h and reduction.h describe: their bits do not depend
// on the launch. A warp sums a leaf, a thread block a chunk, and the last block to arrive adds the chunks of
// each tensor, then the tensors.
#pragma once

#include "cuda/chunk.cuh"

namespace gradstep::GS_TARGET {

// The sums of one lane of a leaf, folded by halves over the warp: the result is lane 0's.
__device__ __forceinline__ double fold_warp(double x) {
  for (int half = warp_size / 2; half > 0; half /= 2) x += __shfl_down_sync(0xffffffff, x, half);
  return x;
}

// Threads that add together: a warp or a block.
struct warp_team {
  static constexpr int size = warp_size;
  __device__ static int rank() { return int(threadIdx.x) % warp_size; }
  __device__ static void wait() { __syncwarp(); }
};
struct block_team {
  static constexpr int size = block_threads;
  __device__ static int rank() { return int(threadIdx.x); }
  __device__ static void wait() { __syncthreads(); }
};

// Adds parts pairwise by index, level by level, in place; an odd one waits for the next level. The total is
// parts[0].
template <class Team>
__device__ __forceinline__ void add_pairwise(sums* parts, int count) {
  for (; count > 1; count = (count + 1) / 2) {
    for (int first = 0; first < (count + 1) / 2; first += Team::size) {
      const int i = first + Team::rank();
      sums sum;
      if (2 * i < count) sum = parts[2 * i];
      if (2 * i + 1 < count) sum = sum + parts[2 * i + 1];
      Team::wait();
      if (2 * i < count) parts[i] = sum;
      Team::wait();
    }
  }
}

// The sums that a pass forms; the others of a total stay.
struct summed {
  bool gradient = false, change = false, rule = false;
};

inline constexpr summed of_gradients = {.gradient = true}, of_rules = {.rule = true},
                        of_change = {.change = true}, of_update = {.gradient = true, .change = true};

template <summed what>
__device__ __forceinline__ void take(sums& total, const sums& from) {
  if constexpr (what.gradient) total.take_gradient(from);
  if constexpr (what.change) total.take_change(from);
  if constexpr (what.rule) total.take_rule(from);
}

template <summed what>
__device__ __forceinline__ sums fold_warp(const sums& lane) {
  sums folded;
  if constexpr (what.gradient) folded.take_gradient({fold_warp(lane.gradient), fold_warp(lane.nonfinite)});
  if constexpr (what.change) folded.take_change({0, 0, fold_warp(lane.change), fold_warp(lane.parameter)});
  if constexpr (what.rule) folded.take_rule({0, 0, 0, 0, {fold_warp(lane.rule[0]), fold_warp(lane.rule[1])}});
  return folded;
}

// The totals of tensors [first, last), added pairwise.
__device__ __forceinline__ void add_tensors(const device_plan_view& plan, int first, int last) {
  for (int i = first + block_team::rank(); i < last; i += block_team::size)
    plan.scratch[i - first] = plan.totals[i];
  block_team::wait();
  add_pairwise<block_team>(plan.scratch, last - first);
}

// By the last block: from the sums of chunks to those of tensors, groups and all.
template <summed what>
__device__ __forceinline__ void add_chunks(const device_plan_view& plan) {
  for (int i = int(threadIdx.x) / warp_size; i < plan.tensor_count; i += block_warps) {
    const device_tensor& tensor = plan.tensors[i];
    sums* const nodes = plan.nodes + tensor.first_chunk;
    add_pairwise<warp_team>(nodes, tensor.chunk_count);
    if (warp_team::rank() == 0) take<what>(plan.totals[i], tensor.chunk_count > 0 ? nodes[0] : sums{});
  }
  block_team::wait();
  sums* const of_groups = plan.totals + plan.tensor_count;
  for (int group = 0; group <= plan.group_count; ++group) {
    const bool all = group == plan.group_count;
    if (!all && !plan.groups[group].around.clip_alone) continue;
    const int first = all ? 0 : plan.groups[group].first_tensor;
    const int last = all ? plan.tensor_count : plan.groups[group].last_tensor;
    add_tensors(plan, first, last);
    if (block_team::rank() == 0) take<what>(of_groups[group], last > first ? plan.scratch[0] : sums{});
    block_team::wait();
  }
}

// Calls leaf(first, last, lane), which returns a lane's sums, for each leaf of the chunk, and puts their sum
// where the chunk's belongs. Returns true in the block that arrives last, once all totals are there.
template <summed what, class Leaf>
__device__ __forceinline__ bool sum_chunk(const device_plan_view& plan, int chunk_index, const Leaf& leaf) {
  __shared__ double shared[leaves_per_chunk * sizeof(sums) / sizeof(double)];
  __shared__ bool last;
  sums* const leaves = reinterpret_cast<sums*>(shared);
  const device_chunk& chunk = plan.chunks[chunk_index];
  const int64_t end = end_of(plan, chunk);
  const int count = int((end - chunk.first + leaf_elements - 1) / leaf_elements);
  for (int i = int(threadIdx.x) / warp_size; i < count; i += block_warps) {
    const int64_t first = chunk.first + i * leaf_elements;
    const int64_t leaf_end = end - first < leaf_elements ? end : first + leaf_elements;
    const sums folded = fold_warp<what>(leaf(first, leaf_end, warp_team::rank()));
    if (warp_team::rank() == 0) leaves[i] = folded;
  }
  block_team::wait();
  if (threadIdx.x < warp_size) add_pairwise<warp_team>(leaves, count);
  if (threadIdx.x == 0) {
    plan.nodes[chunk_index] = leaves[0];
    __threadfence();
    const auto others = unsigned(plan.chunk_count - 1);
    last = atomicInc(plan.arrived, others) == others;  // the counter begins anew at 0
  }
  block_team::wait();
  if (!last) return false;
  __threadfence();
  add_chunks<what>(plan);
  return true;
}

}  // namespace gradstep::GS_TARGET
