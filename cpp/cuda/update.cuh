// The only loops over elements on a device: a thread block takes a chunk of one tensor and makes its update,
// with all that surrounds the rule, on registers.
#pragma once

#include <utility>

#include "../element.h"
#include "arrays.cuh"
#include "reduce.cuh"

namespace gradstep::GS_TARGET {

// A tensor's update of this step: what is the same for all of its elements.
template <class Rule, class T>
struct tensor_update {
  const device_plan_view& plan;
  const device_tensor& tensor;
  const device_array& gradient;
  const Rule rule;
  const descent<T> after;
  const preparation<T> prepare;
  const bool prepares, averages, zeroes;
  const T average_weight;

  __device__ tensor_update(const device_plan_view& plan, int index)
      : tensor_update(plan, plan.tensors[index], plan.gradients[index], plan.rows[index]) {}

  __device__ tensor_update(const device_plan_view& plan, const device_tensor& tensor,
                           const device_array& gradient, const device_row& row)
      : plan(plan),
        tensor(tensor),
        gradient(gradient),
        rule(*reinterpret_cast<const Rule*>(row.rule)),
        after{T(-row.rate), T(row.keep), T(row.keep_against)},
        prepare(row.gradient),
        prepares(row.prepares_gradient),
        averages(tensor.average.data != nullptr),
        zeroes(plan.groups[tensor.group].around.zero_gradient),
        average_weight(T(row.average_weight)) {}

  template <class... States>
  __device__ __forceinline__ void apply(T& p, T g, T& average, States&... states) const {
    if (prepares) g = prepare(g, p);
    after.apply(rule, p, g, states...);
    if (averages) average = lerp(average, p, average_weight);
  }

  __device__ bool is_packed() const {
    bool packed = reaches(tensor.parameter) && reaches(gradient);
    for (int k = 0; k < Rule::states; ++k) packed &= reaches(tensor.states[k]);
    return packed && reaches(tensor.average) && reaches(tensor.copy);
  }

 private:
  __device__ static bool reaches(const device_array& array) { return !array.data || lies_packed<T>(array); }
};

// A few elements of all arrays of a step: those of a pack, or one of arrays that lie anyhow.
template <class Rule, class T, int count>
struct elements {
  static constexpr int states = Rule::states > 0 ? Rule::states : 1;
  using values = pack<T, count>;

  values p, g, average, s[states];

  __device__ static char* at(const tensor_update<Rule, T>& on, const device_array& array, int64_t i) {
    return count > 1 ? straight_place(array, i) : place(array, on.plan.layouts, i);
  }
  __device__ static values read(const tensor_update<Rule, T>& on, const device_array& array, int64_t i) {
    return read_pack<T, count>(at(on, array, i), array.type);
  }
  __device__ static void write(const tensor_update<Rule, T>& on, const device_array& array, int64_t i,
                               const values& x) {
    write_pack(at(on, array, i), array.type, x);
  }

  __device__ __forceinline__ void load(const tensor_update<Rule, T>& on, int64_t i) {
    p = read(on, on.tensor.parameter, i);
    g = read(on, on.gradient, i);
    GS_UNROLL
    for (int k = 0; k < Rule::states; ++k) s[k] = read(on, on.tensor.states[k], i);
    average = on.averages ? read(on, on.tensor.average, i) : values{};
  }

  __device__ __forceinline__ void apply(const tensor_update<Rule, T>& on) {
    apply(on, std::make_integer_sequence<int, Rule::states>{});
  }
  template <int... state>
  __device__ __forceinline__ void apply(const tensor_update<Rule, T>& on,
                                        std::integer_sequence<int, state...>) {
    GS_UNROLL
    for (int k = 0; k < count; ++k) on.apply(p.x[k], g.x[k], average.x[k], s[state].x[k]...);
  }

  __device__ __forceinline__ void store(const tensor_update<Rule, T>& on, int64_t i) const {
    write(on, on.tensor.parameter, i, p);
    GS_UNROLL
    for (int k = 0; k < Rule::states; ++k) write(on, on.tensor.states[k], i, s[k]);
    if (on.averages) write(on, on.tensor.average, i, average);
    if (on.tensor.copy.data) write(on, on.tensor.copy, i, p);
    if (on.zeroes) write(on, on.gradient, i, values{});
  }
};

// The elements that this thread visits of [first, end), `count` in one access, `in_flight` of these on their
// way at once. Returns how far the block's whole rounds came.
template <int count, int in_flight, class Rule, class T>
__device__ __forceinline__ int64_t update_rounds(const tensor_update<Rule, T>& on, int64_t first,
                                                 int64_t end) {
  constexpr int64_t stride = int64_t(block_threads) * count;
  for (; first + in_flight * stride <= end; first += in_flight * stride) {
    const int64_t i = first + int64_t(threadIdx.x) * count;
    elements<Rule, T, count> now[in_flight];
    GS_UNROLL
    for (int k = 0; k < in_flight; ++k) now[k].load(on, i + k * stride);
    GS_UNROLL
    for (int k = 0; k < in_flight; ++k) {
      now[k].apply(on);
      now[k].store(on, i + k * stride);
    }
  }
  return first;
}

template <class Rule, class T>
__device__ __forceinline__ void update_one(const tensor_update<Rule, T>& on, int64_t i) {
  elements<Rule, T, 1> x;
  x.load(on, i);
  x.apply(on);
  x.store(on, i);
}

__device__ __forceinline__ int64_t end_of(const device_plan_view& plan, const device_chunk& chunk) {
  const int64_t size = plan.tensors[chunk.tensor].size;
  return size - chunk.first < chunk_elements ? size : chunk.first + chunk_elements;
}

// What is left to do of a step that is skipped.
__device__ __forceinline__ void skip_chunk(const device_plan_view& plan, const device_chunk& chunk) {
  if (!plan.groups[plan.tensors[chunk.tensor].group].around.zero_gradient) return;
  const device_array& gradient = plan.gradients[chunk.tensor];
  for (int64_t i = chunk.first + int64_t(threadIdx.x); i < end_of(plan, chunk); i += block_threads)
    write_pack(place(gradient, plan.layouts, i), gradient.type, pack<float, 1>{});
}

template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    update_kernel(device_plan_view plan, int first_chunk) {
  const device_chunk& chunk = plan.chunks[first_chunk + int(blockIdx.x)];
  if (plan.report->skipped) return skip_chunk(plan, chunk);
  constexpr int in_flight = Rule::states * int(sizeof(T)) > 16 ? 1 : 2;  // what registers hold
  const tensor_update<Rule, T> on(plan, chunk.tensor);
  const int64_t end = end_of(plan, chunk);
  int64_t first = chunk.first;
  if (on.is_packed()) first = update_rounds<pack_count<T>, in_flight>(on, first, end);
  for (int64_t i = first + int64_t(threadIdx.x); i < end; i += block_threads) update_one(on, i);
}

// The same, and what it does is measured: of the gradient as it came if that is not known yet, of the change
// and of the parameter.
template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    measured_update_kernel(device_plan_view plan, int first_chunk, bool knows_norm, bool lagged) {
  const int index = first_chunk + int(blockIdx.x);
  const device_chunk& chunk = plan.chunks[index];
  if (plan.report->skipped) return skip_chunk(plan, chunk);
  const tensor_update<Rule, T> on(plan, chunk.tensor);
  const bool last = sum_chunk<of_update>(plan, index, [&](int64_t first, int64_t end, int lane) {
    sums lane_sums;
    for (int64_t i = first + lane; i < end; i += warp_size) {
      elements<Rule, T, 1> x;
      x.load(on, i);
      const T before = x.p.x[0], gradient = x.g.x[0] * on.prepare.unscale;
      if (!knows_norm) {
        lane_sums.gradient = add_square(lane_sums.gradient, gradient);
        lane_sums.nonfinite = add_nonfinite(lane_sums.nonfinite, gradient);
      }
      x.apply(on);
      lane_sums.change = add_square(lane_sums.change, double(x.p.x[0]) - double(before));
      lane_sums.parameter = add_square(lane_sums.parameter, x.p.x[0]);
      x.store(on, i);
    }
    return lane_sums;
  });
  if (!last || threadIdx.x != 0) return;
  const sums& all = plan.totals[plan.tensor_count + plan.group_count];
  plan.report->all.take_change(all);
  if (!knows_norm) plan.report->all.take_gradient(all);
  if (lagged) plan.report->last_norm = sqrt(plan.report->all.gradient);
}

}  // namespace gradstep::GS_TARGET
