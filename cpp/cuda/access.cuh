// Loading and storing an array's elements by a thread of a device: one access type for each layout.
#pragma once

#include <type_traits>

#include "cuda/groups.cuh"
#include "cuda/packs.cuh"
#include "device/table.h"

namespace gradstep::GS_TARGET {

[[gnu::noinline]] __device__ inline int64_t strided_offset(const device_layout& layout, int64_t i) {
  int64_t offset = 0;
  for (int d = layout.ndim - 1; d >= 0; --d) {
    offset += i % layout.sizes[d] * layout.strides[d];
    i /= layout.sizes[d];
  }
  return offset;
}

// Each access type handles the elements from i on: `count` at once, or only the first `there` of them at an
// array's end. Loading and decoding are separate calls, so that every load of a step is issued before
// anything waits for one.

// Contiguous arrays in the arithmetic type itself.
template <class T, int numbers>
struct native_access {
  static constexpr int count = numbers;
  static constexpr bool is_contiguous = true;
  static constexpr reach by = reach::native;
  using values = pack<T, count>;
  using loaded = values;
  using number = pack<T, 1>;

  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout*, int64_t i) {
    return values::load(array.data + i * int64_t(sizeof(T)));
  }
  __device__ __forceinline__ static values decode(const loaded& bits, dtype) { return bits; }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    x.store(array.data + i * int64_t(sizeof(T)));
  }
  __device__ __forceinline__ static loaded load_some(const device_array& array, int64_t i, int there) {
    values x = {};
    GS_UNROLL
    for (int k = 0; k < count; ++k)
      if (k < there) x.x[k] = number::load(array.data + (i + k) * int64_t(sizeof(T))).x[0];
    return x;
  }
  __device__ __forceinline__ static void store_some(const device_array& array, int64_t i, int there,
                                                    const values& x) {
    GS_UNROLL
    for (int k = 0; k < count; ++k)
      if (k < there) number{x.x[k]}.store(array.data + (i + k) * int64_t(sizeof(T)));
  }
};

// Contiguous arrays in f32 or in 16 bits, for arithmetic in f32.
template <int numbers>
struct stored_access {
  static constexpr int count = numbers;
  static_assert(count % 2 == 0);
  static constexpr bool is_contiguous = true;
  static constexpr reach by = reach::stored;
  using values = pack<float, count>;
  using words = pack<uint32_t, count / 2>;
  struct loaded {
    words first;  // all numbers of 16 bits
    words rest;   // of those of 32
  };

  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout*, int64_t i) {
    const bool wide = array.type == dtype::f32;
    const char* const from = array.data + i * (wide ? sizeof(float) : sizeof(uint16_t));
    loaded bits = {};
    bits.first = words::load(from);
    if (wide) bits.rest = words::load(from + sizeof(words));
    return bits;
  }
  __device__ __forceinline__ static values decode(const loaded& bits, dtype type) {
    values x;
    if (type == dtype::f32) {
      memcpy(&x, &bits, sizeof x);
      return x;
    }
#define GS_DECODE(name)                 \
  if constexpr (is_half<formats::name>) \
    if (type == dtype::name) return decode_halves<formats::name>(bits.first);
    GS_FORMATS(GS_DECODE)
#undef GS_DECODE
    return {};
  }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    encode_inline(array.data + i * bytes_of(array.type), array.type, x);
  }
  __device__ __forceinline__ static loaded load_some(const device_array& array, int64_t i, int there) {
    loaded bits = {};
    GS_UNROLL
    for (int k = 0; k < count; ++k) {
      if (k >= there) break;
      if (array.type == dtype::f32)
        (k < count / 2 ? bits.first : bits.rest).x[k % (count / 2)] =
            pack<uint32_t, 1>::load(array.data + (i + k) * int64_t(sizeof(float))).x[0];
      else
        bits.first.x[k / 2] |=
            uint32_t(pack<uint16_t, 1>::load(array.data + (i + k) * int64_t(sizeof(uint16_t))).x[0])
            << 16 * (k % 2);
    }
    return bits;
  }
  __device__ __forceinline__ static void store_some(const device_array& array, int64_t i, int there,
                                                    const values& x) {
    GS_UNROLL
    for (int k = 0; k < count; ++k)
      if (k < there) encode(array.data + (i + k) * bytes_of(array.type), array.type, pack<float, 1>{x.x[k]});
  }

 private:
  template <class Format>
  __device__ __forceinline__ static values decode_halves(const words& bits) {
    values x;
    GS_UNROLL
    for (int k = 0; k < count; ++k) x.x[k] = halves<Format>::decode(uint16_t(bits.x[k / 2] >> 16 * (k % 2)));
    return x;
  }
};

// One element of such an array.
struct contiguous_number {
  static constexpr int count = 1;
  static constexpr bool is_contiguous = true;
  using values = pack<float, 1>;
  using loaded = pack<uint32_t, 1>;

  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout*, int64_t i) {
    if (array.type == dtype::f32) return loaded::load(array.data + i * int64_t(sizeof(float)));
    return {pack<uint16_t, 1>::load(array.data + i * int64_t(sizeof(uint16_t))).x[0]};
  }
  __device__ __forceinline__ static values decode(const loaded& bits, dtype type) {
#define GS_DECODE(name)                 \
  if constexpr (is_half<formats::name>) \
    if (type == dtype::name) return {halves<formats::name>::decode(uint16_t(bits.x[0]))};
    GS_FORMATS(GS_DECODE)
#undef GS_DECODE
    values x;
    memcpy(&x, &bits, sizeof x);
    return x;
  }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    encode(array.data + i * bytes_of(array.type), array.type, x);
  }
};

// One element of an array of any layout.
template <class T>
struct placed_access {
  static constexpr int count = 1;
  static constexpr bool is_contiguous = false;
  using values = pack<T, 1>;
  using loaded = values;

  __device__ __forceinline__ static char* place(const device_array& array, const device_layout* layouts,
                                                int64_t i) {
    const bool contiguous = array.layout < 0;
    return array.data + (contiguous ? i * bytes_of(array.type) : strided_offset(layouts[array.layout], i));
  }
  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout* layouts,
                                                int64_t i) {
    if constexpr (has_grouped_formats)
      if (array.second) return {read_in_group<T>(array, i)};
    return {read_number<T>(place(array, layouts, i), array.type)};
  }
  __device__ __forceinline__ static values decode(const loaded& number, dtype) { return number; }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout* layouts,
                                               int64_t i, const values& x) {
    encode(place(array, layouts, i), array.type, x);
  }
};

// A whole group by one thread, where an array's format has groups. The last group may be shorter.
template <class T>
struct grouped_access {
  static constexpr int count = 32;
  static constexpr bool is_contiguous = false;
  using values = pack<T, count>;
  using loaded = values;

  __device__ __forceinline__ static int count_at(const device_array& array, int64_t i) {
    return array.size - i < count ? int(array.size - i) : count;
  }
  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout* layouts,
                                                int64_t i) {
    values found = {};
    for (int k = 0; k < count_at(array, i); ++k)
      found.x[k] = placed_access<T>::load(array, layouts, i + k).x[0];
    return found;
  }
  __device__ __forceinline__ static values decode(const loaded& numbers, dtype) { return numbers; }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout* layouts,
                                               int64_t i, const values& x) {
    if (array.second) return write_group(array, i, x.x, count_at(array, i));
    for (int k = 0; k < count_at(array, i); ++k) placed_access<T>::store(array, layouts, i + k, {x.x[k]});
  }
};

// Stores a copy, which may be of any type, however its parameter is accessed.
template <class Access>
__device__ __forceinline__ void store_copy(const device_array& copy, const device_layout* layouts, int64_t i,
                                           const typename Access::values& x) {
  if constexpr (Access::is_contiguous)
    encode(copy.data + i * bytes_of(copy.type), copy.type, x);
  else
    Access::store(copy, layouts, i, x);
}
template <class Access>
__device__ __forceinline__ void store_some_of_copy(const device_array& copy, int64_t i, int there,
                                                   const typename Access::values& x) {
  using number = std::remove_cvref_t<decltype(x.x[0])>;
  GS_UNROLL
  for (int k = 0; k < Access::count; ++k)
    if (k < there) encode(copy.data + (i + k) * bytes_of(copy.type), copy.type, pack<number, 1>{x.x[k]});
}

// One element of contiguous arrays.
template <class T>
using contiguous_access = std::conditional_t<sizeof(T) == 8, native_access<T, 1>, contiguous_number>;

}  // namespace gradstep::GS_TARGET
