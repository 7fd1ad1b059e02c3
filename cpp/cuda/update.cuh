// The only loops over elements on a device: a thread block takes a chunk of one tensor and makes its update,
// with all that surrounds the rule, on registers.
#pragma once

#include <type_traits>
#include <utility>

#include "../element.h"
#include "arrays.cuh"
#include "reduce.cuh"

namespace gradstep::GS_TARGET {

// The arrays of one tensor that its update visits, as they stand in the table.
template <class Rule>
struct listed_arrays {
  const device_array &parameter, &gradient, &average, &copy;
  const device_array* const states;

  __device__ listed_arrays(const device_tensor& tensor, const device_array& gradient)
      : parameter(tensor.parameter),
        gradient(gradient),
        average(tensor.average),
        copy(tensor.copy),
        states(tensor.states) {}
};

// The same in registers, where it is the pointers alone: read anew after each store, which might be to the
// table, they would delay every load.
template <class Rule>
struct held_arrays {
  const device_array parameter, gradient, average, copy;
  device_array states[state_limit];

  __device__ held_arrays(const device_tensor& tensor, const device_array& gradient)
      : parameter(tensor.parameter), gradient(gradient), average(tensor.average), copy(tensor.copy) {
    GS_UNROLL
    for (int k = 0; k < Rule::states; ++k) states[k] = tensor.states[k];
  }
};

template <class Rule, class Access>
using arrays_for = std::conditional_t<Access::is_native, held_arrays<Rule>, listed_arrays<Rule>>;

// A tensor's update of this step: what is the same for all of its elements.
template <class Rule, class T, class Access>
struct tensor_update {
  const arrays_for<Rule, Access> arrays;
  const device_layout* const layouts;
  const Rule rule;
  const descent<T> after;
  const preparation<T> prepare;
  const bool prepares, averages, zeroes;
  const T average_weight;

  __device__ tensor_update(const device_plan_view& plan, int index)
      : tensor_update(plan, plan.tensors[index], plan.gradients[index], plan.rows[index]) {}

  __device__ tensor_update(const device_plan_view& plan, const device_tensor& tensor,
                           const device_array& gradient, const device_row& row)
      : arrays(tensor, gradient),
        layouts(plan.layouts),
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
};

// A few elements of all arrays of a step, by one way to them.
template <class Rule, class T, class Access>
struct elements {
  static constexpr int count = Access::count;
  using values = pack<T, count>;
  using update = tensor_update<Rule, T, Access>;

  values p, g, average, s[Rule::states > 0 ? Rule::states : 1];

  __device__ __forceinline__ void load(const update& on, int64_t i) {
    for_each(on, [&](values& x, const device_array& array) { x = Access::load(array, on.layouts, i); });
  }
  __device__ __forceinline__ void decode(const update& on) {
    for_each(on, [](values& x, const device_array& array) { x = Access::decode(x, array.type); });
  }
  __device__ __forceinline__ void apply(const update& on) {
    apply(on, std::make_integer_sequence<int, Rule::states>{});
  }
  __device__ __forceinline__ void store(const update& on, int64_t i) {
    const auto put = [&](const values& x, const device_array& array) {
      Access::store(array, on.layouts, i, x);
    };
    put(p, on.arrays.parameter);
    GS_UNROLL
    for (int k = 0; k < Rule::states; ++k) put(s[k], on.arrays.states[k]);
    if (on.averages) put(average, on.arrays.average);
    if (on.arrays.copy.data) copy_access::store(on.arrays.copy, on.layouts, i, p);
    if (on.zeroes) put(values{}, on.arrays.gradient);
  }

 private:
  // A copy is of another type.
  using copy_access = std::conditional_t<count == 1, placed_access<T>, stored_access<T, count>>;

  // Calls visit(values, array) for each of them.
  template <class Visit>
  __device__ __forceinline__ void for_each(const update& on, const Visit& visit) {
    visit(p, on.arrays.parameter);
    visit(g, on.arrays.gradient);
    GS_UNROLL
    for (int k = 0; k < Rule::states; ++k) visit(s[k], on.arrays.states[k]);
    if (on.averages) visit(average, on.arrays.average);
  }

  template <int... state>
  __device__ __forceinline__ void apply(const update& on, std::integer_sequence<int, state...>) {
    GS_UNROLL
    for (int k = 0; k < count; ++k) on.apply(p.x[k], g.x[k], average.x[k], s[state].x[k]...);
  }
};

// The elements that this thread visits of [first, end), those of `in_flight` accesses on their way at once.
// Returns where the elements begin that are too few for an access.
template <class Rule, class T, class Access, int in_flight>
__device__ __forceinline__ int64_t update_part(const device_plan_view& plan, int tensor, int64_t first,
                                               int64_t end) {
  constexpr int count = Access::count;
  constexpr int64_t stride = int64_t(block_threads) * count;
  const tensor_update<Rule, T, Access> on(plan, tensor);
  for (int64_t i = first + int64_t(threadIdx.x) * count; i + count <= end; i += in_flight * stride) {
    elements<Rule, T, Access> now[in_flight] = {};
    const auto is_there = [&](int k) { return k == 0 || i + k * stride + count <= end; };
    // What is not there is loaded from elsewhere: at a branch the loads before it would be waited for.
    GS_UNROLL
    for (int k = 0; k < in_flight; ++k) now[k].load(on, is_there(k) ? i + k * stride : i);
    GS_UNROLL
    for (int k = 0; k < in_flight; ++k)
      if (is_there(k)) {
        now[k].decode(on);
        now[k].apply(on);
        now[k].store(on, i + k * stride);
      }
  }
  return end - (end - first) % count;
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
    placed_access<float>::store(gradient, plan.layouts, i, {});
}

template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    update_kernel(device_plan_view plan, int first_chunk) {
  const device_chunk chunk = plan.chunks[first_chunk + int(blockIdx.x)];
  if (plan.report->skipped) return skip_chunk(plan, chunk);
  constexpr int in_flight = Rule::states * int(sizeof(T)) > 8 ? 1 : 2;  // what registers hold
  const int tensor = chunk.tensor;
  const device_tensor& arrays = plan.tensors[tensor];
  const device_array& gradient = plan.gradients[tensor];
  const int64_t end = end_of(plan, chunk);
  int64_t first = chunk.first;
  if (arrays.is_packed && gradient.is_packed) {
    first = arrays.is_native && gradient.is_native
                ? update_part<Rule, T, native_access<T, pack_count<T>>, in_flight>(plan, tensor, first, end)
                : update_part<Rule, T, stored_access<T, pack_count<T>>, 1>(plan, tensor, first, end);
  }
  if (first < end) update_part<Rule, T, placed_access<T>, 1>(plan, tensor, first, end);
}

// The same, and what it does is measured: of the gradient as it came if that is not known yet, of the change
// and of the parameter.
template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    measured_update_kernel(device_plan_view plan, int first_chunk, bool knows_norm, bool lagged) {
  const int index = first_chunk + int(blockIdx.x);
  const device_chunk& chunk = plan.chunks[index];
  if (plan.report->skipped) return skip_chunk(plan, chunk);
  const tensor_update<Rule, T, placed_access<T>> on(plan, chunk.tensor);
  const bool last = sum_chunk<of_update>(plan, index, [&](int64_t first, int64_t end, int lane) {
    sums lane_sums;
    for (int64_t i = first + lane; i < end; i += warp_size) {
      elements<Rule, T, placed_access<T>> x = {};
      x.load(on, i);
      x.decode(on);
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
  if (!last) return;
  for (int i = block_team::rank(); i < plan.tensor_count; i += block_team::size)
    plan.moments[plan.tensors[i].index].measured = plan.totals[i];
  if (block_team::rank() != 0) return;
  const sums& all = plan.totals[plan.tensor_count + plan.group_count];
  plan.report->all.take_change(all);
  if (!knows_norm) plan.report->all.take_gradient(all);
  if (lagged) plan.report->last_norm = sqrt(plan.report->all.gradient);
}

}  // namespace gradstep::GS_TARGET
