// Kernels of rules that see their tensor as a matrix, before the parameter is written: sums over rows and
// columns, the numbers made of them, directions that are written to memory and changed row by row. A thread
// block takes a band of rows, a warp one row at a time. The sums have the bits of the CPU.
#pragma once

#include "cuda/reduce.cuh"
#include "cuda/update.cuh"
#include "rules/rule.h"

namespace gradstep::GS_TARGET {

// Calls visit(row) for each row of a band that belongs to this warp.
template <class Visit>
__device__ __forceinline__ void for_each_row(const device_band& band, const Visit& visit) {
  for (int64_t row = band.first_row + warp_of_block(); row < band.last_row; row += block_warps) visit(row);
}

// The gradient in the form that the rule reduces.
template <class Rule, class T>
struct reduced_gradient {
  const device_array &parameter, &gradient;
  const device_layout* const layouts;
  const Rule rule;
  const transform_gradient<T> transform;
  const bool transforms;

  __device__ reduced_gradient(const device_plan_view& plan, int tensor)
      : parameter(plan.tensors[tensor].parameter),
        gradient(plan.gradients[tensor]),
        layouts(plan.layouts),
        rule(*reinterpret_cast<const Rule*>(plan.rows[tensor].rule)),
        transform(plan.rows[tensor].gradient),
        transforms(plan.rows[tensor].transforms_gradient) {}

  __device__ __forceinline__ double add_to(double sum, int64_t i) const {
    const auto read = [&](const device_array& array) {
      return placed_access<T>::load(array, layouts, i).x[0];
    };
    T g = read(gradient);
    if (transforms) g = transform(g, transform.decay != 0 ? read(parameter) : T(0));
    const factors<T> found = rule.reduced(g);
    return fma(double(found.first), double(found.second), sum);
  }
};

template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    reduce_bands_kernel(device_plan_view plan, int first_band) {
  if (plan.report->skipped) return;
  const device_band band = plan.bands[first_band + int(blockIdx.x)];
  const device_matrix& matrix = plan.matrices[band.matrix];
  const reduced_gradient<Rule, T> on(plan, matrix.tensor);
  for_each_row(band, [&](int64_t row) {
    double sum = 0;
    for (int64_t column = lane_of_warp(); column < matrix.sizes.columns; column += warp_size)
      sum = on.add_to(sum, row * matrix.sizes.columns + column);
    sum = fold_warp(sum);
    if (lane_of_warp() == 0) matrix.row_sums[row] = sum;
  });
  if (!matrix.column_sums) return;
  double* const columns = matrix.column_sums + band.number * matrix.sizes.columns;
  for (int64_t column = int(threadIdx.x); column < matrix.sizes.columns; column += block_threads) {
    double sum = 0;
    for (int64_t row = band.first_row; row < band.last_row; ++row)
      sum = on.add_to(sum, row * matrix.sizes.columns + column);
    columns[column] = sum;
  }
}

// The sum of one column, numbered over all matrices.
__device__ __forceinline__ double sum_of_column(const device_matrix& matrix, int64_t place) {
  const int64_t columns = matrix.sizes.columns, bands = matrix.sizes.bands(), first = place / columns * bands;
  double sum = 0;
  for (int64_t band = first; band < first + bands; ++band)
    sum += matrix.column_sums[band * columns + place % columns];
  return sum;
}

// For a whole warp: lane 0 has the result.
__device__ __forceinline__ double sum_of_rows(const device_matrix& matrix, int64_t first, int64_t count) {
  double sum = 0;
  for (int64_t row = lane_of_warp(); row < count; row += warp_size) sum += matrix.row_sums[first + row];
  return fold_warp(sum);
}

// Computes number i of a state after the update from this sum.
template <class Rule, class T>
__device__ __forceinline__ void renew(const device_plan_view& plan, const device_matrix& matrix, int state,
                                      int64_t i, double sum) {
  const Rule& rule = *reinterpret_cast<const Rule*>(plan.rows[matrix.tensor].rule);
  const int64_t numbers = matrix.sizes.numbers(matrix.form.shapes[state]);
  const double count = double(plan.tensors[matrix.tensor].size / numbers);
  const T before = placed_access<T>::load(matrix.own[state], plan.layouts, i).x[0];
  const T after = T(rule.renew(state, double(before), sum, count));
  reinterpret_cast<T*>(matrix.numbers[state])[i] = after;
  placed_access<T>::store(matrix.own[state], plan.layouts, i, {after});
}

template <class Rule, class T>
__device__ __forceinline__ void renew_state(const device_plan_view& plan, const device_matrix& matrix,
                                            int state) {
  const state_shape shape = matrix.form.shapes[state];
  if (shape == state_shape::like_parameter) return;
  const int64_t numbers = matrix.sizes.numbers(shape);
  if (shape == state_shape::per_row || shape == state_shape::per_column) {
    for (int64_t i = int(threadIdx.x); i < numbers; i += block_threads)
      renew<Rule, T>(plan, matrix, state, i,
                     shape == state_shape::per_row ? matrix.row_sums[i] : sum_of_column(matrix, i));
    return;
  }
  const int64_t rows = matrix.sizes.all_rows() / numbers;
  for (int64_t i = warp_of_block(); i < numbers; i += block_warps) {
    const double sum = sum_of_rows(matrix, i * rows, rows);
    if (lane_of_warp() == 0) renew<Rule, T>(plan, matrix, state, i, sum);
  }
}

template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    renew_numbers_kernel(device_plan_view plan, int first_matrix) {
  if (plan.report->skipped) return;
  const device_matrix& matrix = plan.matrices[first_matrix + int(blockIdx.x)];
  for (int k = 0; k < Rule::states; ++k) renew_state<Rule, T>(plan, matrix, k);
}

template <class Rule, class T>
struct in_flight_of {
  static constexpr int packs = 1, singles = singles_in_flight<Rule, T>;
};

// Writes the directions of elements [first, end), and their states. This is the last use of the gradient.
template <class Elements, int in_flight>
__device__ __forceinline__ int64_t direct_part(const device_plan_view& plan, int tensor, int64_t first,
                                               int64_t end) {
  const typename Elements::update on(plan, tensor);
  char* const directions = plan.directions[tensor].data;
  return visit_block<Elements::count, in_flight>(
      first, end, [&](int64_t i) { return Elements::load(on, i); },
      [&](Elements& x, int64_t i) {
        x.decode(on);
        const typename Elements::values u = x.direct(on);
        u.store(directions + i * int64_t(sizeof(u.x[0])));
        x.store_states(on, i);
        if (on.zeroes) x.zero_gradient(on, i);
      });
}

template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    direct_kernel(device_plan_view plan, int first_chunk) {
  const device_chunk chunk = plan.chunks[first_chunk + int(blockIdx.x)];
  if (plan.report->skipped) return skip_chunk(plan, chunk);
  const int tensor = chunk.tensor;
  const array_access access = access_to(plan, tensor);
  const auto part = [&]<class Access, int in_flight>(int64_t first, int64_t end) {
    return direct_part<elements<Rule, T, Access>, in_flight>(plan, tensor, first, end);
  };
  visit_by<T, in_flight_of<Rule, T>>(access, chunk.first, end_of(plan, chunk), part);
}

template <class Rule, class T>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    transform_rows_kernel(device_plan_view plan, int first_band) {
  if (plan.report->skipped) return;
  const device_band band = plan.bands[first_band + int(blockIdx.x)];
  const device_matrix& matrix = plan.matrices[band.matrix];
  const Rule rule = *reinterpret_cast<const Rule*>(plan.rows[matrix.tensor].rule);
  for_each_row(band, [&](int64_t row) {
    T* const u = reinterpret_cast<T*>(plan.directions[matrix.tensor].data) + row * matrix.sizes.columns;
    T found = T(0);
    for (int64_t column = lane_of_warp(); column < matrix.sizes.columns; column += warp_size)
      found = rule.join(found, rule.direction_term(u[column]));
    for (int half = warp_size / 2; half > 0; half /= 2)
      found = rule.join(found, __shfl_down_sync(0xffffffff, found, half));
    found = __shfl_sync(0xffffffff, found, 0);
    for (int64_t column = lane_of_warp(); column < matrix.sizes.columns; column += warp_size)
      u[column] = rule.change(u[column], found);
  });
}

}  // namespace gradstep::GS_TARGET
