// A step's update on a device: a thread block takes a part of one tensor and updates it. The transforms
// before and after the rule happen in registers.
#pragma once

#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"
#include "cuda/visits.cuh"

namespace gradstep::GS_TARGET {

// A skipped step also zeroes the gradients that it would have used.
__device__ __forceinline__ bool zeroes_gradient(const device_plan_view& plan, int tensor) {
  return plan.groups[plan.tensors[tensor].group].options.zero_grad;
}
__device__ __forceinline__ void skip_chunk(const device_plan_view& plan, const device_chunk& chunk) {
  if (zeroes_gradient(plan, chunk.tensor)) zero_gradient(plan, chunk);
}

// Elements [first, end) of a tensor, a pack for each thread at a time.
template <class Elements, int threads>
__device__ __forceinline__ void update_packs(const device_plan_view& plan, const chunk_part& part) {
  const typename Elements::update on(plan, part.tensor);
  constexpr int count = Elements::count;
  for (int64_t i = part.first + int64_t(threadIdx.x) * count; i < part.end; i += int64_t(threads) * count) {
    const int there = part.end - i < count ? int(part.end - i) : count;
    Elements x = Elements::load(on, i, there);
    x.decode(on);
    x.apply(on);
    x.store(on, i, there);
  }
}

template <class Access, int threads>
__device__ __forceinline__ void zero_packs(const device_plan_view& plan, const chunk_part& part) {
  const device_array gradient = plan.gradients[part.tensor];
  constexpr int count = Access::count;
  for (int64_t i = part.first + int64_t(threadIdx.x) * count; i < part.end; i += int64_t(threads) * count)
    if (part.end - i < count)
      Access::store_some(gradient, i, int(part.end - i), {});
    else
      Access::store(gradient, nullptr, i, {});
}

// By the number of states that registers must hold for each element in flight.
template <class Rule, class T>
inline constexpr int singles_in_flight = Rule::states * sizeof(T) > 16  ? 1
                                         : Rule::states * sizeof(T) > 8 ? 2
                                                                        : 4;

// The same without packs.
template <class Rule, class T>
__device__ __forceinline__ void update_singles(const device_plan_view& plan, const chunk_part& part,
                                               const array_access& access) {
  const auto update = [&]<class Access, int in_flight>(int64_t first, int64_t end) {
    using some = elements<Rule, T, Access>;
    const typename some::update on(plan, part.tensor);
    visit_block<Access::count, in_flight>(
        first, end, [&](int64_t i) { return some::load(on, i); },
        [&](some& x, int64_t i) {
          x.decode(on);
          x.apply(on);
          x.store(on, i);
        });
  };
  visit_singles<T, singles_in_flight<Rule, T>>(access, part.first, part.end, update);
}

// The number of threads of a block, and of blocks per processor at once. More of them keep more of the memory
// busy, but leave fewer registers for each thread. Registers hold a pack of each array and the rule's
// constants: there are as many threads as need no spills.
template <reach by>
inline constexpr int update_threads = by == reach::stored ? block_threads / 2 : block_threads;
template <class Rule, class T, reach by>
inline constexpr int update_blocks = [] {
  if (by == reach::single || sizeof(T) > sizeof(float)) return blocks_per_processor;
  if (by == reach::stored) return Rule::states > 2 ? 4 : 5;
  return 16 * Rule::states + int(sizeof(Rule)) > 56 ? 2 : 3;
}();
constexpr int update_pack = 4;  // numbers of up to 32 bits: more need too many registers

// Updates the tensors that are reached by these packs.
template <class Rule, class T, class Access, int threads>
__device__ __forceinline__ void update_tensors_by(const device_plan_view& plan,
                                                  const visited_chunks& visited) {
  const chunk_part part = part_of(plan, visited);
  if (part.first >= part.end || reach_of(access_to(plan, part.tensor)) != Access::by) return;
  if (!plan.report->skipped)
    update_packs<elements<Rule, T, Access>, threads>(plan, part);
  else if (zeroes_gradient(plan, part.tensor))
    zero_packs<Access, threads>(plan, part);
}

// Updates the tensors that are reached one element at a time.
template <class Rule, class T>
__device__ __forceinline__ void update_other_tensors(const device_plan_view& plan,
                                                     const visited_chunks& visited) {
  const chunk_part part = part_of(plan, visited);
  const array_access access = access_to(plan, part.tensor);
  if (part.first >= part.end || reach_of(access) != reach::single) return;
  if (!plan.report->skipped)
    update_singles<Rule, T>(plan, part, access);
  else if (zeroes_gradient(plan, part.tensor))
    zero_singles(plan, part);
}

template <class Rule, class T, reach by>
__global__ void __launch_bounds__(update_threads<by>, update_blocks<Rule, T, by>)
    update_kernel(device_plan_view plan, visited_chunks visited) {
  if constexpr (by == reach::native)
    update_tensors_by<Rule, T, native_access<T, pack_count<T>>, update_threads<by>>(plan, visited);
  else if constexpr (by == reach::stored)
    update_tensors_by<Rule, T, stored_access<update_pack>, update_threads<by>>(plan, visited);
  else
    update_other_tensors<Rule, T>(plan, visited);
}

// The sums over one lane's elements of an update: of the original gradient if they are not known yet, of the
// change and of the parameter.
template <class Rule, class T, class Access, int in_flight>
__device__ __forceinline__ sums update_part_with_stats(const device_plan_view& plan, int tensor,
                                                       int64_t first, int64_t end, bool knows_norm) {
  using some = elements<Rule, T, Access>;
  const tensor_update<Rule, T, Access> on(plan, tensor);
  sums lane;
  const auto load = [&](int64_t i) { return some::load(on, i); };
  visit<1, in_flight>(first, end, warp_size, load, [&](some& x, int64_t i) {
    x.decode(on);
    const T before = x.now.p.x[0], gradient = x.now.g.x[0] * on.transform.unscale;
    if (!knows_norm) {
      lane.gradient = add_square(lane.gradient, gradient);
      lane.nonfinite = add_nonfinite(lane.nonfinite, gradient);
    }
    x.apply(on);
    lane.change = add_square(lane.change, double(x.now.p.x[0]) - double(before));
    lane.parameter = add_square(lane.parameter, x.now.p.x[0]);
    x.store(on, i);
  });
  return lane;
}

// The same update, and its sums.
template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    update_with_stats_kernel(device_plan_view plan, int first_chunk, device_step step) {
  const int index = first_chunk + int(blockIdx.x);
  const device_chunk chunk = plan.chunks[index];
  if (plan.report->skipped) return skip_chunk(plan, chunk);
  const int tensor = chunk.tensor;
  const bool contiguous = access_to(plan, tensor).contiguous;
  constexpr summed what = std::is_same_v<Rule, given_direction> ? of_change : of_update;
  const bool last = sum_chunk<what>(plan, index, [&](int64_t first, int64_t end, int lane) {
    return contiguous ? update_part_with_stats<Rule, T, contiguous_access<T>, singles_in_flight<Rule, T>>(
                            plan, tensor, first + lane, end, step.knows_norm)
                      : update_part_with_stats<Rule, T, placed_access<T>, 1>(plan, tensor, first + lane, end,
                                                                             step.knows_norm);
  });
  if (!last) return;
  for (int i = int(threadIdx.x); i < plan.tensor_count; i += block_threads)
    plan.clocks[plan.tensors[i].index].reported = plan.totals[i];
  if (int(threadIdx.x) != 0) return;
  const sums& all = plan.totals[plan.tensor_count + plan.group_count];
  plan.report->all.take_change(all);
  if (!step.knows_norm) plan.report->all.take_gradient(all);
  if (step.lagged && !step.ahead) plan.report->last_norm = sqrt(plan.report->all.gradient);
}

}  // namespace gradstep::GS_TARGET
