// A step's update on a device: a thread block takes a chunk of one tensor and makes its update, with all that
// surrounds the rule, on registers.
#pragma once

#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace gradstep::GS_TARGET {

// Updates elements [first, end). Returns where those begin that are too few for an access.
template <class Elements, int in_flight, int threads = block_threads>
__device__ __forceinline__ int64_t update_part(const device_plan_view& plan, int tensor, int64_t first,
                                               int64_t end) {
  const typename Elements::update on(plan, tensor);
  return visit_block<Elements::count, in_flight, threads>(
      first, end, [&](int64_t i) { return Elements::load(on, i); },
      [&](Elements& x, int64_t i) {
        x.decode(on);
        x.apply(on);
        x.store(on, i);
      });
}

// A step that is skipped still zeroes the gradients that it was to use up.
__device__ __forceinline__ void skip_chunk(const device_plan_view& plan, const device_chunk& chunk) {
  if (plan.groups[plan.tensors[chunk.tensor].group].around.zero_gradient) zero_gradient(plan, chunk);
}

// The elements in flight, by the states whose numbers registers must hold for each.
template <class Rule, class T>
struct limits_of {
  static constexpr int state_bytes = Rule::states * int(sizeof(T));
  static constexpr int packs = state_bytes > 8 ? 1 : 2;
  static constexpr int singles = state_bytes > 16 ? 1 : 2 * packs;
  static constexpr int stored = Rule::states > 2 ? stored_pack_count / 2 : stored_pack_count;
};

template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    update_kernel(device_plan_view plan, int first_chunk) {
  const device_chunk chunk = plan.chunks[first_chunk + int(blockIdx.x)];
  if (plan.report->skipped) return skip_chunk(plan, chunk);
  const int tensor = chunk.tensor;
  const ways by = plan.tensors[tensor].by & plan.gradients[tensor].by;
  const auto part = [&]<class Access, int in_flight>(int64_t first, int64_t end) {
    return update_part<elements<Rule, T, Access>, in_flight>(plan, tensor, first, end);
  };
  visit_by<T, limits_of<Rule, T>>(by, chunk.first, end_of(plan, chunk), part);
}

// The sums over one lane's elements of an update: of the gradient as it came if they are not known yet, of
// the change and of the parameter.
template <class Rule, class T, class Access, int in_flight>
__device__ __forceinline__ sums measured_update_part(const device_plan_view& plan, int tensor, int64_t first,
                                                     int64_t end, bool knows_norm) {
  using some = elements<Rule, T, Access>;
  const tensor_update<Rule, T, Access> on(plan, tensor);
  sums lane;
  const auto load = [&](int64_t i) { return some::load(on, i); };
  visit<1, in_flight>(first, end, warp_size, load, [&](some& x, int64_t i) {
    x.decode(on);
    const T before = x.now.p.x[0], gradient = x.now.g.x[0] * on.prepare.unscale;
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
    measured_update_kernel(device_plan_view plan, int first_chunk, device_step step) {
  const int index = first_chunk + int(blockIdx.x);
  const device_chunk chunk = plan.chunks[index];
  if (plan.report->skipped) return skip_chunk(plan, chunk);
  const int tensor = chunk.tensor;
  const bool straight = (plan.tensors[tensor].by & plan.gradients[tensor].by).straight;
  constexpr summed what = std::is_same_v<Rule, given_direction> ? of_change : of_update;
  const bool last = sum_chunk<what>(plan, index, [&](int64_t first, int64_t end, int lane) {
    return straight ? measured_update_part<Rule, T, straight_access<T>, limits_of<Rule, T>::singles>(
                          plan, tensor, first + lane, end, step.knows_norm)
                    : measured_update_part<Rule, T, placed_access<T>, 1>(plan, tensor, first + lane, end,
                                                                         step.knows_norm);
  });
  if (!last) return;
  for (int i = block_team::rank(); i < plan.tensor_count; i += block_team::size)
    plan.clocks[plan.tensors[i].index].measured = plan.totals[i];
  if (block_team::rank() != 0) return;
  const sums& all = plan.totals[plan.tensor_count + plan.group_count];
  plan.report->all.take_change(all);
  if (!step.knows_norm) plan.report->all.take_gradient(all);
  if (step.lagged && !step.ahead) plan.report->last_norm = sqrt(plan.report->all.gradient);
}

}  // namespace gradstep::GS_TARGET
