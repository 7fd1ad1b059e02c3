// The only loops over elements on a device: a thread block takes a chunk of one tensor and makes its update,
// with all that surrounds the rule, on registers.
#pragma once

#include <utility>

#include "../element.h"
#include "arrays.cuh"
#include "reduce.cuh"

namespace gradstep::GS_TARGET {

// One element of all arrays of a step.
template <class Rule, class T>
struct element {
  T p, g, average;
  T states[Rule::states > 0 ? Rule::states : 1];
};

// A tensor's update of this step, for one element after the other.
template <class Rule, class T>
struct tensor_update {
  static constexpr auto state_numbers = std::make_integer_sequence<int, Rule::states>{};

  const device_plan_view& plan;
  const device_tensor& tensor;
  const device_array& gradient;
  const device_row& row;
  const Rule rule;
  const descent<T> after;
  const gradient_path<T> path;
  const bool prepares_gradient, decays_gradient, averages;
  const T average_weight;

  __device__ tensor_update(const device_plan_view& plan, int index)
      : plan(plan),
        tensor(plan.tensors[index]),
        gradient(plan.gradients[index]),
        row(plan.rows[index]),
        rule(*reinterpret_cast<const Rule*>(row.rule)),
        after{T(-row.rate), T(row.keep), T(row.keep_against)},
        path(gradient_path<T>::of(row.gradient)),
        prepares_gradient(row.prepares_gradient),
        decays_gradient(row.gradient.decay != 0),
        averages(tensor.average.data != nullptr),
        average_weight(T(row.average_weight)) {}

  template <int... state>
  __device__ __forceinline__ void apply(element<Rule, T>& x, std::integer_sequence<int, state...>) const {
    T g = x.g;
    if (prepares_gradient) {
      g = path.clipped(g);
      if (decays_gradient) g = path.decayed(g, x.p);
    }
    after.apply(rule, x.p, g, x.states[state]...);
    if (averages) x.average = lerp(x.average, x.p, average_weight);
  }
  __device__ __forceinline__ void apply(element<Rule, T>& x) const { apply(x, state_numbers); }

  __device__ __forceinline__ char* at(const device_array& array, int64_t i) const {
    return place(array, plan.layouts, i);
  }

  __device__ __forceinline__ element<Rule, T> load(int64_t i) const {
    element<Rule, T> x;
    x.p = read<T>(at(tensor.parameter, i), tensor.parameter.type);
    x.g = read<T>(at(gradient, i), gradient.type);
    for (int k = 0; k < Rule::states; ++k)
      x.states[k] = read<T>(at(tensor.states[k], i), tensor.states[k].type);
    x.average = averages ? read<T>(at(tensor.average, i), tensor.average.type) : T(0);
    return x;
  }

  __device__ __forceinline__ void store(int64_t i, const element<Rule, T>& x, bool zeroes) const {
    for (int k = 0; k < Rule::states; ++k) write(at(tensor.states[k], i), tensor.states[k].type, x.states[k]);
    if (averages) write(at(tensor.average, i), tensor.average.type, x.average);
    if (tensor.copy.data) write(at(tensor.copy, i), tensor.copy.type, x.p);
    write(at(tensor.parameter, i), tensor.parameter.type, x.p);
    if (zeroes) write(at(gradient, i), gradient.type, T(0));
  }

  __device__ __forceinline__ void update(int64_t i, bool zeroes) const {
    element<Rule, T> x = load(i);
    apply(x);
    store(i, x, zeroes);
  }
};

// A few elements that lie together, in one access for each array.
template <class Rule, class T>
struct packed_update {
  static constexpr int count = pack<T>::count;
  static constexpr int states = Rule::states > 0 ? Rule::states : 1;

  pack<T> p, g, average, s[states];

  __device__ static bool fits(const tensor_update<Rule, T>& on) {
    bool packed = is_packed<T>(on.tensor.parameter) && is_packed<T>(on.gradient) && on.tensor.copy.layout < 0;
    for (int k = 0; k < Rule::states; ++k) packed &= is_packed<T>(on.tensor.states[k]);
    return packed && (!on.averages || is_packed<T>(on.tensor.average));
  }

  __device__ __forceinline__ void load(const tensor_update<Rule, T>& on, int64_t i) {
    p = pack_at<T>(on.tensor.parameter, i);
    g = pack_at<T>(on.gradient, i);
    for (int k = 0; k < Rule::states; ++k) s[k] = pack_at<T>(on.tensor.states[k], i);
    if (on.averages) average = pack_at<T>(on.tensor.average, i);
  }

  __device__ __forceinline__ void apply(const tensor_update<Rule, T>& on) {
    GS_UNROLL
    for (int lane = 0; lane < count; ++lane) {
      element<Rule, T> x;
      x.p = p.x[lane];
      x.g = g.x[lane];
      x.average = on.averages ? average.x[lane] : T(0);
      for (int k = 0; k < Rule::states; ++k) x.states[k] = s[k].x[lane];
      on.apply(x);
      p.x[lane] = x.p;
      average.x[lane] = x.average;
      for (int k = 0; k < Rule::states; ++k) s[k].x[lane] = x.states[k];
    }
  }

  __device__ __forceinline__ void store(const tensor_update<Rule, T>& on, int64_t i, bool zeroes) const {
    pack_at<T>(on.tensor.parameter, i) = p;
    for (int k = 0; k < Rule::states; ++k) pack_at<T>(on.tensor.states[k], i) = s[k];
    if (on.averages) pack_at<T>(on.tensor.average, i) = average;
    if (on.tensor.copy.data)
      for (int lane = 0; lane < count; ++lane)
        write(on.at(on.tensor.copy, i + lane), on.tensor.copy.type, p.x[lane]);
    if (zeroes) pack_at<T>(on.gradient, i) = pack<T>{};
  }
};

// Two packs of each array are on their way at once, where registers hold them. Returns how far whole rounds
// of them came.
template <class Rule, class T>
__device__ __forceinline__ int64_t update_packed(const tensor_update<Rule, T>& on, int64_t first, int64_t end,
                                                 bool zeroes) {
  using packed = packed_update<Rule, T>;
  constexpr int in_flight = Rule::states * int(sizeof(T)) > 16 ? 1 : 2;
  constexpr int64_t stride = int64_t(block_threads) * packed::count;
  for (; first + in_flight * stride <= end; first += in_flight * stride) {
    const int64_t i = first + int64_t(threadIdx.x) * packed::count;
    packed now[in_flight];
    GS_UNROLL
    for (int k = 0; k < in_flight; ++k) now[k].load(on, i + k * stride);
    GS_UNROLL
    for (int k = 0; k < in_flight; ++k) {
      now[k].apply(on);
      now[k].store(on, i + k * stride, zeroes);
    }
  }
  return first;
}

__device__ __forceinline__ void zero_chunk(const device_plan_view& plan, const device_chunk& chunk,
                                           int64_t end) {
  const device_array& gradient = plan.gradients[chunk.tensor];
  for (int64_t i = chunk.first + int64_t(threadIdx.x); i < end; i += block_threads)
    write(place(gradient, plan.layouts, i), gradient.type, 0.0f);
}

__device__ __forceinline__ int64_t end_of(const device_plan_view& plan, const device_chunk& chunk) {
  const int64_t size = plan.tensors[chunk.tensor].size;
  return size - chunk.first < chunk_elements ? size : chunk.first + chunk_elements;
}

__device__ __forceinline__ bool zeroes_gradient(const device_plan_view& plan, const device_chunk& chunk) {
  return plan.groups[plan.tensors[chunk.tensor].group].around.zero_gradient;
}

template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    update_kernel(device_plan_view plan, int first_chunk) {
  const device_chunk& chunk = plan.chunks[first_chunk + int(blockIdx.x)];
  const int64_t end = end_of(plan, chunk);
  const bool zeroes = zeroes_gradient(plan, chunk);
  if (plan.report->skipped) {
    if (zeroes) zero_chunk(plan, chunk, end);
    return;
  }
  const tensor_update<Rule, T> on(plan, chunk.tensor);
  int64_t first = chunk.first;
  if (packed_update<Rule, T>::fits(on)) first = update_packed(on, first, end, zeroes);
  for (int64_t i = first + int64_t(threadIdx.x); i < end; i += block_threads) on.update(i, zeroes);
}

// The same, and what it does is measured: of the gradient as it came if that is not known yet, of the change
// and of the parameter.
template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    measured_update_kernel(device_plan_view plan, int first_chunk, bool knows_norm, bool lagged) {
  const int index = first_chunk + int(blockIdx.x);
  const device_chunk& chunk = plan.chunks[index];
  const bool zeroes = zeroes_gradient(plan, chunk);
  if (plan.report->skipped) {
    if (zeroes) zero_chunk(plan, chunk, end_of(plan, chunk));
    return;
  }
  const tensor_update<Rule, T> on(plan, chunk.tensor);
  const bool last = sum_chunk<of_update>(plan, index, [&](int64_t first, int64_t end, int lane) {
    sums lane_sums;
    for (int64_t i = first + lane; i < end; i += warp_size) {
      element<Rule, T> x = on.load(i);
      if (!knows_norm) {
        lane_sums.gradient = add_square(lane_sums.gradient, x.g * on.path.unscale);
        lane_sums.nonfinite = add_nonfinite(lane_sums.nonfinite, x.g * on.path.unscale);
      }
      const T before = x.p;
      on.apply(x);
      lane_sums.change = add_square(lane_sums.change, double(x.p) - double(before));
      lane_sums.parameter = add_square(lane_sums.parameter, x.p);
      on.store(i, x, zeroes);
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
