// How a device's thread reads and writes an element of an array, and a few that lie together.
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

// A call, not inlined: the divisions of every array would be most of a kernel's code.
[[gnu::noinline]] __device__ inline int64_t strided_offset(const device_layout& layout, int64_t i) {
  int64_t offset = 0;
  for (int d = layout.ndim - 1; d >= 0; --d) {
    offset += i % layout.sizes[d] * layout.strides[d];
    i /= layout.sizes[d];
  }
  return offset;
}

__device__ __forceinline__ char* place(const device_array& array, const device_layout* layouts, int64_t i) {
  return array.data +
         (array.layout < 0 ? i * bytes_of(array.type) : strided_offset(layouts[array.layout], i));
}

template <class Storage>
__device__ __forceinline__ typename Storage::bits bits_at(const char* at) {
  return *reinterpret_cast<const typename Storage::bits*>(at);
}

template <class Storage>
__device__ __forceinline__ void put_bits(char* at, typename Storage::bits bits) {
  *reinterpret_cast<typename Storage::bits*>(at) = bits;
}

template <class T>
__device__ __forceinline__ T read(const char* at, dtype type) {
  switch (type) {
    case dtype::f64:
      return stored_f64::decode<T>(bits_at<stored_f64>(at));
    case dtype::f32:
      return stored_f32::decode<T>(bits_at<stored_f32>(at));
    case dtype::f16:
      return stored_f16::decode<T>(bits_at<stored_f16>(at));
    default:
      return stored_bf16::decode<T>(bits_at<stored_bf16>(at));
  }
}

template <class T>
__device__ __forceinline__ void write(char* at, dtype type, T value) {
  switch (type) {
    case dtype::f64:
      return put_bits<stored_f64>(at, stored_f64::encode(value));
    case dtype::f32:
      return put_bits<stored_f32>(at, stored_f32::encode(value));
    case dtype::f16:
      return put_bits<stored_f16>(at, stored_f16::encode(value));
    default:
      return put_bits<stored_bf16>(at, stored_bf16::encode(value));
  }
}

// As many elements as one access moves.
template <class T>
struct alignas(16) pack {
  static constexpr int count = 16 / int(sizeof(T));
  T x[count];
};

template <class T>
inline constexpr dtype dtype_of = sizeof(T) == 8 ? dtype::f64 : dtype::f32;

// Whether it lies straight in the arithmetic type, where packs lie.
template <class T>
__device__ __forceinline__ bool is_packed(const device_array& array) {
  return array.layout < 0 && array.type == dtype_of<T> && reinterpret_cast<uintptr_t>(array.data) % 16 == 0;
}

template <class T>
__device__ __forceinline__ pack<T>& pack_at(const device_array& array, int64_t i) {
  return *reinterpret_cast<pack<T>*>(array.data + i * int64_t(sizeof(T)));
}

}  // namespace gradstep::GS_TARGET
