// Ways to a few elements of all arrays of a step, each for arrays of one kind alone. `some<count>` is what
// update_part takes, `count` how many elements a pack has.
#pragma once

#include <cstring>

#include "cuda/elements.cuh"
#include "rules/adam.h"

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#endif

namespace gradstep::GS_TARGET::tune {

using rule = adam<float>;

__device__ __forceinline__ ways ways_to(const device_plan_view& plan, int tensor) {
  return plan.tensors[tensor].by & plan.gradients[tensor].by;
}

// Arrays of f32, as update_kernel reads and writes them.
struct native_way {
  static constexpr int count = pack_count<float>;
  template <int packed>
  using some = elements<rule, float, native_access<float, packed>>;

  __device__ static bool suits(const device_plan_view& plan, int tensor) {
    const ways by = ways_to(plan, tensor);
    return by.native & by.packed;
  }
};

// Marked as used once (ld.global.cs, st.global.cs), so that the L2 cache gives it up first.
template <class Word>
__device__ __forceinline__ Word load_once(const Word* place) {
#if defined(__CUDACC__)
  return __ldcs(place);
#else
  return *place;
#endif
}
template <class Word>
__device__ __forceinline__ void store_once(Word* place, Word word) {
#if defined(__CUDACC__)
  __stcs(place, word);
#else
  *place = word;
#endif
}

#if defined(__CUDACC__)
using pack_word = float4;
#else
struct pack_word {
  float x, y, z, w;
};
#endif

template <int packed>
struct streamed_access : native_access<float, packed> {
  using values = pack<float, packed>;
  using loaded = values;
  using word = std::conditional_t<packed == 4, pack_word, float>;
  static_assert(sizeof(word) == sizeof(values));

  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout*, int64_t i) {
    const word found = load_once(reinterpret_cast<const word*>(array.data + i * int64_t(sizeof(float))));
    loaded x;
    memcpy(&x, &found, sizeof x);
    return x;
  }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    word put;
    memcpy(&put, &x, sizeof put);
    store_once(reinterpret_cast<word*>(array.data + i * int64_t(sizeof(float))), put);
  }
};

struct streamed_way : native_way {
  template <int packed>
  using some = elements<rule, float, streamed_access<packed>>;
};

// Elements whose gradients alone are read another way.
template <class Elements, class Gradient>
struct with_gradient_by : Elements {
  __device__ __forceinline__ static with_gradient_by load(const typename Elements::update& on, int64_t i) {
    with_gradient_by found{Elements::load(on, i)};  // its gradient is not used, so that it is not loaded
    found.bits.g = Gradient::load(on.arrays.gradient, on.layouts, i);
    return found;
  }
};

struct streamed_gradient_way : native_way {
  template <int packed>
  using some = with_gradient_by<native_way::some<packed>, streamed_access<packed>>;
};

// Arrays of bf16, with the conversions of storage/half.h or with the processor's own, which differ in a NaN's
// bits.
struct by_integers {
  __device__ __forceinline__ static void encode(uint16_t* to, float x, float y) {
    to[0] = formats::bf16::encode(x);
    to[1] = formats::bf16::encode(y);
  }
};
struct by_hardware {
  __device__ __forceinline__ static void encode(uint16_t* to, float x, float y) {
#if defined(__CUDACC__)
    const __nv_bfloat162 both = __floats2bfloat162_rn(x, y);
    memcpy(to, &both, sizeof both);
#else
    by_integers::encode(to, x, y);  // the host that stands in for a device has no others
#endif
  }
};

template <int packed, class Conversion>
struct bf16_access {
  static constexpr int count = packed;
  static constexpr bool is_straight = true;
  using values = pack<float, count>;
  using loaded = pack<uint16_t, count>;

  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout*, int64_t i) {
    return loaded::load(array.data + i * int64_t(sizeof(uint16_t)));
  }
  __device__ __forceinline__ static values decode(const loaded& bits, dtype) {
    values x;
    GS_UNROLL
    for (int k = 0; k < count; ++k) x.x[k] = formats::bf16::decode<float>(bits.x[k]);
    return x;
  }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    loaded bits;
    if constexpr (count == 1) {
      bits.x[0] = formats::bf16::encode(x.x[0]);
    } else {
      GS_UNROLL
      for (int k = 0; k < count; k += 2) Conversion::encode(bits.x + k, x.x[k], x.x[k + 1]);
    }
    bits.store(array.data + i * int64_t(sizeof(uint16_t)));
  }
};

template <class Conversion>
struct bf16_way {
  static constexpr int count = stored_pack_count;
  template <int packed>
  using some = elements<rule, float, bf16_access<packed, Conversion>>;

  __device__ static bool suits(const device_plan_view& plan, int tensor) {
    return ways_to(plan, tensor).packed && plan.tensors[tensor].parameter.type == dtype::bf16;
  }
};

}  // namespace gradstep::GS_TARGET::tune
