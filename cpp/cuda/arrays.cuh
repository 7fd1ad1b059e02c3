// How a device's thread reads and writes elements of an array.
#pragma once

#include "../storage/stored.h"
#include "runtime.h"
#include "table.h"

namespace gradstep::GS_TARGET {

__device__ __forceinline__ int64_t bytes_of(dtype type) {
  return type == dtype::f64   ? sizeof(stored_f64::bits)
         : type == dtype::f32 ? sizeof(stored_f32::bits)
                              : sizeof(stored_bf16::bits);
}

// A few numbers that lie together, moved by one access, or by two where they are more than 16 bytes: as a
// whole, for the compiler moves a reference's numbers one by one.
constexpr int pack_alignment(int bytes) { return bytes < pack_bytes ? bytes : pack_bytes; }

template <class Number, int count>
struct alignas(pack_alignment(int(sizeof(Number)) * count)) pack {
  Number x[count];

  __device__ __forceinline__ static pack load(const char* place) {
    GS_ASSUME_GLOBAL(place);
    return *reinterpret_cast<const pack*>(place);
  }
  __device__ __forceinline__ void store(char* place) const {
    GS_ASSUME_GLOBAL(place);
    *reinterpret_cast<pack*>(place) = *this;
  }

  template <class Other>
  __device__ __forceinline__ static pack from(const pack<Other, count>& other) {
    pack converted;
    GS_UNROLL
    for (int k = 0; k < count; ++k) converted.x[k] = Number(other.x[k]);
    return converted;
  }
};

// How many a pack has.
template <class T>
inline constexpr int pack_count = pack_bytes / int(sizeof(T));

template <class Storage, class T, int count>
__device__ __forceinline__ pack<T, count> decode_pack(const pack<T, count>& bits) {
  pack<typename Storage::bits, count> stored;
  pack<T, count> values;
  memcpy(&stored, &bits, sizeof stored);
  GS_UNROLL
  for (int k = 0; k < count; ++k) values.x[k] = Storage::template decode<T>(stored.x[k]);
  return values;
}

template <class Storage, class T, int count>
__device__ __forceinline__ void encode_pack(char* place, const pack<T, count>& values) {
  pack<typename Storage::bits, count> stored;
  GS_UNROLL
  for (int k = 0; k < count; ++k) stored.x[k] = Storage::encode(values.x[k]);
  stored.store(place);
}

// Calls, not inlined: for every array of a step they would be most of a kernel's code.
template <class T, int count>
[[gnu::noinline]] __device__ pack<T, count> decode_halves(pack<T, count> bits, dtype type) {
  return type == dtype::f16 ? decode_pack<stored_f16>(bits) : decode_pack<stored_bf16>(bits);
}
template <class T, int count>
[[gnu::noinline]] __device__ void encode(char* place, dtype type, pack<T, count> values) {
  switch (type) {
    case dtype::f64:
      return encode_pack<stored_f64>(place, values);
    case dtype::f32:
      return encode_pack<stored_f32>(place, values);
    case dtype::f16:
      return encode_pack<stored_f16>(place, values);
    default:
      return encode_pack<stored_bf16>(place, values);
  }
}
[[gnu::noinline]] __device__ inline int64_t strided_offset(const device_layout& layout, int64_t i) {
  int64_t offset = 0;
  for (int d = layout.ndim - 1; d >= 0; --d) {
    offset += i % layout.sizes[d] * layout.strides[d];
    i /= layout.sizes[d];
  }
  return offset;
}

// Three ways to the elements from i on, `count` at once. What is loaded is decoded apart, once all that a
// step needs is on its way.

// Of arrays that lie straight in the arithmetic type itself.
template <class T, int packed>
struct native_access {
  static constexpr int count = packed;
  static constexpr bool is_native = true;
  using values = pack<T, count>;

  __device__ __forceinline__ static values load(const device_array& array, const device_layout*, int64_t i) {
    return values::load(array.data + i * int64_t(sizeof(T)));
  }
  __device__ __forceinline__ static values decode(const values& loaded, dtype) { return loaded; }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    x.store(array.data + i * int64_t(sizeof(T)));
  }
};

// Of arrays that lie straight in any type: what is loaded are the bits of 16-bit numbers.
template <class T, int packed>
struct stored_access {
  static constexpr int count = packed;
  static constexpr bool is_native = false;
  using values = pack<T, count>;

  __device__ __forceinline__ static values load_from(const char* place, dtype type) {
    if (type == dtype::f64) return values::from(pack<double, count>::load(place));
    if (type == dtype::f32) return values::from(pack<float, count>::load(place));
    values loaded = {};
    const auto halves = pack<uint16_t, count>::load(place);
    memcpy(&loaded, &halves, sizeof halves);
    return loaded;
  }

  __device__ __forceinline__ static values load(const device_array& array, const device_layout*, int64_t i) {
    return load_from(array.data + i * bytes_of(array.type), array.type);
  }
  __device__ __forceinline__ static values decode(const values& loaded, dtype type) {
    return type == dtype::f64 || type == dtype::f32 ? loaded : decode_halves(loaded, type);
  }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    encode(array.data + i * bytes_of(array.type), array.type, x);
  }
};

// Of one element, wherever it lies.
template <class T>
struct placed_access {
  static constexpr int count = 1;
  static constexpr bool is_native = false;
  using values = pack<T, 1>;

  __device__ __forceinline__ static char* place(const device_array& array, const device_layout* layouts,
                                                int64_t i) {
    const bool straight = array.layout < 0;
    return array.data + (straight ? i * bytes_of(array.type) : strided_offset(layouts[array.layout], i));
  }
  __device__ __forceinline__ static values load(const device_array& array, const device_layout* layouts,
                                                int64_t i) {
    return stored_access<T, 1>::load_from(place(array, layouts, i), array.type);
  }
  __device__ __forceinline__ static values decode(const values& loaded, dtype type) {
    return stored_access<T, 1>::decode(loaded, type);
  }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout* layouts,
                                               int64_t i, const values& x) {
    encode(place(array, layouts, i), array.type, x);
  }
};

template <class Access>
__device__ __forceinline__ auto read_one(const device_array& array, const device_layout* layouts, int64_t i) {
  return Access::decode(Access::load(array, layouts, i), array.type).x[0];
}

}  // namespace gradstep::GS_TARGET
