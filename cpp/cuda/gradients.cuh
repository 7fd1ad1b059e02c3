// The gradients' sums before the first write, on a device, and the joined reports of updates that were made
// one by one.
#pragma once

#include "cuda/access.cuh"
#include "cuda/reduce.cuh"
#include "step/element.h"

namespace gradstep::GS_TARGET {

__device__ __forceinline__ double unscale_of(const device_step& step) {
  return step.grad_scale.data ? 1 / step.grad_scale.get() : step.unscale;
}

// The sums of one lane over gradients. The count is exact, whatever the order of addition.
template <class T>
struct gradient_sums {
  const T unscale;
  double squares = 0;
  int nonfinite = 0;

  __device__ __forceinline__ void add(T number) {
    const T g = number * unscale;
    squares = add_square(squares, g);
    nonfinite += g - g == 0 ? 0 : 1;
  }
  __device__ __forceinline__ sums found() const { return {squares, double(nonfinite)}; }
};

// Sums every 32nd element of a contiguous array, starting at the first, with `in_flight` loads outstanding.
template <class Format, int in_flight, class T>
__device__ __forceinline__ sums sum_contiguous(const char* data, T unscale, int64_t first, int64_t end) {
  using bits = pack<typename Format::bits, 1>;
  const auto load = [&](int64_t i) { return bits::load(data + i * int64_t(sizeof(bits))); };
  const auto decode = [](const bits& x) { return decode_number<Format, T>(x.x[0]); };
  gradient_sums<T> lane = {unscale};
  int64_t i = first;
  for (; i + (in_flight - 1) * warp_size < end; i += in_flight * warp_size) {
    bits found[in_flight];
    GS_UNROLL
    for (int k = 0; k < in_flight; ++k) found[k] = load(i + k * warp_size);
    GS_UNROLL
    for (int k = 0; k < in_flight; ++k) lane.add(decode(found[k]));
  }
  for (; i < end; i += warp_size) lane.add(decode(load(i)));
  return lane.found();
}

template <int in_flight, class T>
__device__ __forceinline__ sums sum_gradient(const device_plan_view& plan, int tensor, T unscale,
                                             int64_t first, int64_t end) {
  const device_array gradient = plan.gradients[tensor];
  if (gradient.access.contiguous) {
#define GS_MEASURE(name)                                                \
  if constexpr (!formats::is_grouped<formats::name> &&                  \
                (sizeof(formats::name::bits) == 8) == (sizeof(T) == 8)) \
    if (gradient.type == dtype::name)                                   \
      return sum_contiguous<formats::name, in_flight>(gradient.data, unscale, first, end);
    GS_FORMATS(GS_MEASURE)
#undef GS_MEASURE
  }
  gradient_sums<T> lane = {unscale};
  for (int64_t i = first; i < end; i += warp_size)
    lane.add(placed_access<T>::load(gradient, plan.layouts, i).x[0]);
  return lane.found();
}

// For all thread blocks.
template <int in_flight>
__device__ __forceinline__ void sum_gradients_of(const device_plan_view& plan, const device_step& step) {
  const int tensor = plan.chunks[blockIdx.x].tensor;
  const double unscale = unscale_of(step);
  const bool last = sum_chunk<of_gradients>(plan, int(blockIdx.x), [&](int64_t first, int64_t end, int lane) {
    return plan.tensors[tensor].type == arithmetic::f64
               ? sum_gradient<in_flight>(plan, tensor, unscale, first + lane, end)
               : sum_gradient<in_flight>(plan, tensor, float(unscale), first + lane, end);
  });
  if (last && threadIdx.x == 0)
    plan.report->all.take_gradient(plan.totals[plan.tensor_count + plan.group_count]);
}

constexpr int sum_blocks = 3;  // for each processor

__global__ void __launch_bounds__(block_threads, sum_blocks)
    sum_gradients_kernel(device_plan_view plan, device_step step) {
  sum_gradients_of<16>(plan, step);
}

// For one thread block.
__global__ void __launch_bounds__(block_threads, 1)
    join_reports_kernel(device_plan_view plan, const int32_t* tensors, int count, bool lagged) {
  for (int i = int(threadIdx.x); i < count; i += block_threads)
    plan.scratch[i] = plan.clocks[tensors[i]].reported;
  __syncthreads();
  const sums all = add_pairwise<of_update>(plan.scratch, count);
  if (threadIdx.x != 0) return;
  plan.report->all.take_gradient(all);
  plan.report->all.take_change(all);
  if (lagged) plan.report->last_norm = sqrt(all.gradient);
}

}  // namespace gradstep::GS_TARGET
