// Sums over tensors on a device, by the tree that sums.h and reduction.h describe: their bits do not depend
// on the launch. A warp sums a leaf, a thread block a chunk.
#pragma once

#include "cuda/chunk.cuh"

namespace gradstep::GS_TARGET {

// The sums of one lane of a leaf, folded by halves over the warp: the result is lane 0's.
__device__ __forceinline__ double fold_warp(double x) {
  for (int half = warp_size / 2; half > 0; half /= 2) x += __shfl_down_sync(0xffffffff, x, half);
  return x;
}

__device__ __forceinline__ int lane_of_warp() { return int(threadIdx.x) % warp_size; }
__device__ __forceinline__ int warp_of_block() { return int(threadIdx.x) / warp_size; }

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

template <summed what>
__device__ __forceinline__ sums shifted_down(const sums& x, int by) {
  const auto shift = [&](double number) { return __shfl_down_sync(0xffffffff, number, by); };
  sums from;
  if constexpr (what.gradient) from.take_gradient({shift(x.gradient), shift(x.nonfinite)});
  if constexpr (what.change) from.take_change({0, 0, shift(x.change), shift(x.parameter)});
  if constexpr (what.rule) from.take_rule({0, 0, 0, 0, {shift(x.rule[0]), shift(x.rule[1])}});
  return from;
}

// Adds the parts of a warp's first `count` lanes pairwise, level by level; an odd one waits for the next
// level. The result is lane 0's.
template <summed what>
__device__ __forceinline__ sums add_lanes(sums x, int count) {
  GS_UNROLL
  for (int step = 1; step < warp_size; step *= 2) {
    const sums other = shifted_down<what>(x, step);
    if (lane_of_warp() + step < count) x = x + other;
  }
  return x;
}

// The same for parts in memory, by the whole block. It overwrites the parts; thread 0 has the result.
template <summed what>
__device__ __forceinline__ sums add_pairwise(sums* parts, int count) {
  __shared__ double shared[block_warps * sizeof(sums) / sizeof(double)];
  sums* const of_warps = reinterpret_cast<sums*>(shared);
  constexpr int tile = 2 * block_threads;  // of parts, which give one
  sums x;
  for (;;) {
    const int tiles = (count + tile - 1) / tile;
    for (int i = 0; i < tiles; ++i) {
      const int first = i * tile, pairs = ((i + 1 < tiles ? tile : count - first) + 1) / 2;
      const int mine = int(threadIdx.x), left = first + 2 * mine;
      x = {};
      if (mine < pairs) x = left + 1 < count ? parts[left] + parts[left + 1] : parts[left];
      x = add_lanes<what>(x, pairs - warp_of_block() * warp_size);
      if (lane_of_warp() == 0) of_warps[warp_of_block()] = x;
      __syncthreads();  // and all have read the tile
      if (warp_of_block() == 0) {
        const int warps = (pairs + warp_size - 1) / warp_size;
        x = add_lanes<what>(of_warps[lane_of_warp() < warps ? lane_of_warp() : 0], warps);
        if (threadIdx.x == 0 && tiles > 1) parts[i] = x;
      }
      __syncthreads();
    }
    if (tiles <= 1) return x;
    count = tiles;
  }
}

// True in the last of `blocks` blocks that call this. That block can then read what the others have written.
__device__ __forceinline__ bool is_last(unsigned* arrived, int blocks) {
  __shared__ bool last;
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();
    last = atomicInc(arrived, unsigned(blocks - 1)) == unsigned(blocks - 1);  // the counter begins anew at 0
  }
  __syncthreads();
  if (last) __threadfence();
  return last;
}

// Adds the sums of tensors to those of groups and of all.
template <summed what>
__device__ __forceinline__ void add_tensors(const device_plan_view& plan) {
  sums* const of_groups = plan.totals + plan.tensor_count;
  for (int group = 0; group <= plan.group_count; ++group) {
    const bool all = group == plan.group_count;
    if (!all && !plan.groups[group].options.clip_by_group) continue;
    const int first = all ? 0 : plan.groups[group].first_tensor;
    const int last = all ? plan.tensor_count : plan.groups[group].last_tensor;
    for (int i = first + int(threadIdx.x); i < last; i += block_threads)
      plan.scratch[i - first] = plan.totals[i];
    __syncthreads();
    const sums found = add_pairwise<what>(plan.scratch, last - first);
    if (threadIdx.x == 0) take<what>(of_groups[group], found);
  }
}

// Calls leaf(first, last, lane), which returns a lane's sums, for each leaf of the chunk. The last block of a
// tensor adds its chunks, and the last of these blocks the tensors. Returns true in that one, once all totals
// are there.
template <summed what, class Leaf>
__device__ __forceinline__ bool sum_chunk(const device_plan_view& plan, int chunk_index, const Leaf& leaf) {
  __shared__ double shared[leaves_per_chunk * sizeof(sums) / sizeof(double)];
  sums* const leaves = reinterpret_cast<sums*>(shared);
  const device_chunk chunk = plan.chunks[chunk_index];
  const int64_t end = end_of(plan, chunk);
  const int count = int((end - chunk.first + leaf_elements - 1) / leaf_elements);
  for (int i = warp_of_block(); i < count; i += block_warps) {
    const int64_t first = chunk.first + i * leaf_elements;
    const int64_t leaf_end = end - first < leaf_elements ? end : first + leaf_elements;
    const sums folded = fold_warp<what>(leaf(first, leaf_end, lane_of_warp()));
    if (lane_of_warp() == 0) leaves[i] = folded;
  }
  __syncthreads();
  if (warp_of_block() == 0) {
    const sums found = add_lanes<what>(leaves[lane_of_warp() < count ? lane_of_warp() : 0], count);
    if (threadIdx.x == 0) plan.nodes[chunk_index] = found;
  }
  const device_tensor& tensor = plan.tensors[chunk.tensor];
  if (!is_last(plan.arrived + of_chunks + chunk.tensor, tensor.chunk_count)) return false;
  const sums found = add_pairwise<what>(plan.nodes + tensor.first_chunk, tensor.chunk_count);
  if (threadIdx.x == 0) take<what>(plan.totals[chunk.tensor], found);
  if (!is_last(plan.arrived + of_tensors, plan.summed_count)) return false;
  add_tensors<what>(plan);
  return true;
}

}  // namespace gradstep::GS_TARGET
