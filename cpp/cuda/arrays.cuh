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

// A call, not inlined: the divisions of every array would be most of a kernel's code.
[[gnu::noinline]] __device__ inline int64_t strided_offset(const device_layout& layout, int64_t i) {
  int64_t offset = 0;
  for (int d = layout.ndim - 1; d >= 0; --d) {
    offset += i % layout.sizes[d] * layout.strides[d];
    i /= layout.sizes[d];
  }
  return offset;
}

// Where element i lies of an array that lies straight, and of any.
__device__ __forceinline__ char* straight_place(const device_array& array, int64_t i) {
  return array.data + i * bytes_of(array.type);
}
__device__ __forceinline__ char* place(const device_array& array, const device_layout* layouts, int64_t i) {
  if (array.layout < 0) return straight_place(array, i);
  return array.data + strided_offset(layouts[array.layout], i);
}

// A few elements that lie together, moved by one access.
template <class T, int count>
struct pack {
  T x[count];
};

// As many as 16 bytes hold of the arithmetic type.
template <class T>
inline constexpr int pack_count = 16 / int(sizeof(T));

constexpr int pack_alignment(int bytes) { return bytes < 16 ? bytes : 16; }

// The same as they lie in memory.
template <class Storage, int count>
struct alignas(pack_alignment(sizeof(typename Storage::bits) * count)) stored_pack {
  typename Storage::bits x[count];
};

template <class Storage, class T, int count>
__device__ __forceinline__ pack<T, count> decode_pack(const char* at) {
  const auto stored = *reinterpret_cast<const stored_pack<Storage, count>*>(at);
  pack<T, count> values;
  GS_UNROLL
  for (int k = 0; k < count; ++k) values.x[k] = Storage::template decode<T>(stored.x[k]);
  return values;
}

template <class Storage, class T, int count>
__device__ __forceinline__ void encode_pack(char* at, const pack<T, count>& values) {
  stored_pack<Storage, count> stored;
  GS_UNROLL
  for (int k = 0; k < count; ++k) stored.x[k] = Storage::encode(values.x[k]);
  *reinterpret_cast<stored_pack<Storage, count>*>(at) = stored;
}

template <class T, int count>
__device__ __forceinline__ pack<T, count> read_pack(const char* at, dtype type) {
  switch (type) {
    case dtype::f64:
      return decode_pack<stored_f64, T, count>(at);
    case dtype::f32:
      return decode_pack<stored_f32, T, count>(at);
    case dtype::f16:
      return decode_pack<stored_f16, T, count>(at);
    default:
      return decode_pack<stored_bf16, T, count>(at);
  }
}

template <class T, int count>
__device__ __forceinline__ void write_pack(char* at, dtype type, const pack<T, count>& values) {
  switch (type) {
    case dtype::f64:
      return encode_pack<stored_f64>(at, values);
    case dtype::f32:
      return encode_pack<stored_f32>(at, values);
    case dtype::f16:
      return encode_pack<stored_f16>(at, values);
    default:
      return encode_pack<stored_bf16>(at, values);
  }
}

template <class T>
__device__ __forceinline__ T read(const char* at, dtype type) {
  return read_pack<T, 1>(at, type).x[0];
}

// Whether packs of it lie where one access reaches them.
template <class T>
__device__ __forceinline__ bool lies_packed(const device_array& array) {
  const int64_t bytes = bytes_of(array.type) * pack_count<T>;
  return array.layout < 0 && reinterpret_cast<uintptr_t>(array.data) % (bytes < 16 ? bytes : 16) == 0;
}

}  // namespace gradstep::GS_TARGET
