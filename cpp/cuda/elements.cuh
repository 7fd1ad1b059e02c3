// The elements of a step's arrays in registers: what is loaded, changed and stored together.
#pragma once

#include <type_traits>
#include <utility>

#include "cuda/access.cuh"
#include "step/element.h"

namespace gradstep::GS_TARGET {

// The arrays of one tensor that its update visits, read from the table.
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

// The same in registers, if it is only pointers and types. Reading them again after each store, which might
// be to the table, would delay every load.
template <class Rule>
struct held_arrays {
  const device_array parameter, gradient, average, copy;
  device_array states[state_limit];

  __device__ held_arrays(const device_tensor& tensor, const device_array& gradient)
      : parameter(tensor.parameter), gradient(gradient), average(tensor.average), copy(tensor.copy) {
    GS_UNROLL
    for (int k = 0; k < Rule::states; ++k) {
      states[k] = tensor.states[k];
      states[k].type = tensor.states[0].type;  // as table.h says of packs, and of single contiguous elements
    }
  }
};

template <class Rule, class Access>
using arrays_for = std::conditional_t<Access::is_contiguous, held_arrays<Rule>, listed_arrays<Rule>>;

// A tensor's update in this step: all that is the same for its elements.
template <class Rule, class T, class Access>
struct tensor_update {
  const arrays_for<Rule, Access> arrays;
  const device_layout* const layouts;
  const Rule rule;
  const descent<T> after;
  const transform_gradient<T> transform;
  const bool transforms, averages, zeroes;
  const T average_weight;

  // Directions that are passed as the gradient have been transformed already.
  static constexpr bool uses_gradient = !std::is_same_v<Rule, given_direction>;

  __device__ tensor_update(const device_plan_view& plan, int index)
      : tensor_update(plan, plan.tensors[index], plan.gradients[index], plan.rows[index]) {}

  __device__ tensor_update(const device_plan_view& plan, const device_tensor& tensor,
                           const device_array& gradient, const device_row& row)
      : arrays(tensor, gradient),
        layouts(plan.layouts),
        rule(*reinterpret_cast<const Rule*>(row.rule)),
        after{T(-row.rate), T(row.decay_factor), T(row.decay_factor_if_opposed)},
        transform(row.gradient),
        transforms(uses_gradient && row.transforms_gradient),
        averages(tensor.average.data != nullptr),
        zeroes(uses_gradient && plan.groups[tensor.group].options.zero_grad),
        average_weight(T(row.average_weight)) {}

  template <class... States>
  __device__ __forceinline__ void apply(T& p, T g, T& average, States&... states) const {
    if (transforms) g = transform(g, p);
    after.apply(rule, p, g, states...);
    if (averages) average = lerp(average, p, average_weight);
  }

  template <class... States>
  __device__ __forceinline__ T direct(T p, T g, States&... states) const {
    return descent<T>::direction(rule, p, transforms ? transform(g, p) : g, states...);
  }
};

// One value for each array of a step.
template <class Rule, class Of>
struct of_arrays {
  Of p, g, average, s[Rule::states > 0 ? Rule::states : 1];
};

// A few elements of every array of a step, reached by one access type.
template <class Rule, class T, class Access>
struct elements {
  static constexpr int count = Access::count;
  using values = pack<T, count>;
  using update = tensor_update<Rule, T, Access>;

  of_arrays<Rule, typename Access::loaded> bits;
  of_arrays<Rule, values> now;

  // `there` is less than `count` at an array's end.
  __device__ __forceinline__ static elements load(const update& on, int64_t i, int there = count) {
    if constexpr (count > 1 && Access::is_contiguous)
      if (there < count)
        return load_each(on, [&](const device_array& array) { return Access::load_some(array, i, there); });
    return load_each(on, [&](const device_array& array) { return Access::load(array, on.layouts, i); });
  }
  __device__ __forceinline__ void decode(const update& on) {
    now.p = Access::decode(bits.p, on.arrays.parameter.type);
    now.g = Access::decode(bits.g, on.arrays.gradient.type);
    GS_UNROLL
    for (int k = 0; k < Rule::states; ++k) now.s[k] = Access::decode(bits.s[k], on.arrays.states[k].type);
    if (on.averages) now.average = Access::decode(bits.average, on.arrays.average.type);
  }
  __device__ __forceinline__ void apply(const update& on) {
    apply(on, std::make_integer_sequence<int, Rule::states>{});
  }
  __device__ __forceinline__ values direct(const update& on) {
    return direct(on, std::make_integer_sequence<int, Rule::states>{});
  }
  __device__ __forceinline__ void store(const update& on, int64_t i, int there = count) {
    if constexpr (count > 1 && Access::is_contiguous)
      if (there < count) {
        store_each(
            on, [&](const values& x, const device_array& array) { Access::store_some(array, i, there, x); });
        if (on.arrays.copy.data) store_some_of_copy<Access>(on.arrays.copy, i, there, now.p);
        return;
      }
    store_each(on, [&](const values& x, const device_array& array) { put(x, array, on, i); });
    if (on.arrays.copy.data) store_copy<Access>(on.arrays.copy, on.layouts, i, now.p);
  }
  __device__ __forceinline__ void store_states(const update& on, int64_t i) {
    store_states(on, [&](const values& x, const device_array& array) { put(x, array, on, i); });
  }
  __device__ __forceinline__ void zero_gradient(const update& on, int64_t i) {
    put(values{}, on.arrays.gradient, on, i);
  }

 private:
  template <class Load>
  __device__ __forceinline__ static elements load_each(const update& on, const Load& load) {
    elements found = {};
    found.bits.p = load(on.arrays.parameter);
    found.bits.g = load(on.arrays.gradient);
    GS_UNROLL
    for (int k = 0; k < Rule::states; ++k) found.bits.s[k] = load(on.arrays.states[k]);
    if (on.averages) found.bits.average = load(on.arrays.average);
    return found;
  }
  template <class Store>
  __device__ __forceinline__ void store_each(const update& on, const Store& store) {
    store(now.p, on.arrays.parameter);
    store_states(on, store);
    if (on.averages) store(now.average, on.arrays.average);
    if (on.zeroes) store(values{}, on.arrays.gradient);
  }
  template <class Store>
  __device__ __forceinline__ void store_states(const update& on, const Store& store) {
    GS_UNROLL
    for (int k = 0; k < Rule::states; ++k)
      if (written_states<Rule> >> k & 1) store(now.s[k], on.arrays.states[k]);
  }
  __device__ __forceinline__ static void put(const values& x, const device_array& array, const update& on,
                                             int64_t i) {
    Access::store(array, on.layouts, i, x);
  }
  template <int... state>
  __device__ __forceinline__ values direct(const update& on, std::integer_sequence<int, state...>) {
    values found = {};
    GS_UNROLL
    for (int k = 0; k < count; ++k) found.x[k] = on.direct(now.p.x[k], now.g.x[k], now.s[state].x[k]...);
    return found;
  }
  template <int... state>
  __device__ __forceinline__ void apply(const update& on, std::integer_sequence<int, state...>) {
    GS_UNROLL
    for (int k = 0; k < count; ++k) on.apply(now.p.x[k], now.g.x[k], now.average.x[k], now.s[state].x[k]...);
  }
};

}  // namespace gradstep::GS_TARGET
