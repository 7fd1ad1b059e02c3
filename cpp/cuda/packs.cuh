// Numbers in memory, moved one by one or by packs, and converted from and to an array's format.
#pragma once

#include "cuda/halves.cuh"
#include "formats/list.h"

namespace gradstep::GS_TARGET {

__device__ __forceinline__ int64_t bytes_of(dtype type) {
#define GS_BYTES(name) type == dtype::name ? int64_t(sizeof(formats::name::bits)):
  return GS_FORMATS(GS_BYTES) 0;
#undef GS_BYTES
}

// A few adjacent numbers, moved by one access, or by two if they are more than 16 bytes. They are moved as a
// whole, because the compiler moves the numbers of a reference one by one.
constexpr int pack_alignment(int bytes) { return bytes < 16 ? bytes : 16; }

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
};

template <class Format, class T, int count>
__device__ __forceinline__ void encode_pack(char* place, const pack<T, count>& values) {
  pack<typename Format::bits, count> stored;
  if constexpr (is_half<Format> && count % 2 == 0 && sizeof(T) == sizeof(float)) {
    GS_UNROLL
    for (int k = 0; k < count; k += 2) {
      const uint32_t two = halves<Format>::encode_two(values.x[k], values.x[k + 1]);
      stored.x[k] = uint16_t(two), stored.x[k + 1] = uint16_t(two >> 16);
    }
  } else {
    GS_UNROLL
    for (int k = 0; k < count; ++k) stored.x[k] = encode_number<Format>(values.x[k]);
  }
  stored.store(place);
}

template <class T, int count>
__device__ __forceinline__ void encode_inline(char* place, dtype type, const pack<T, count>& values) {
  switch (type) {
#define GS_WRITE(name) \
  case dtype::name:    \
    return encode_pack<formats::name>(place, values);
    GS_FORMATS(GS_WRITE)
#undef GS_WRITE
  }
}

// Not inlined: repeated for every array of a step, they would be most of a kernel's code.
template <class T>
[[gnu::noinline]] __device__ T read_number(const char* place, dtype type) {
  switch (type) {
#define GS_READ(name) \
  case dtype::name:   \
    return decode_number<formats::name, T>(pack<formats::name::bits, 1>::load(place).x[0]);
    GS_FORMATS(GS_READ)
#undef GS_READ
  }
  return {};
}
template <class T, int count>
[[gnu::noinline]] __device__ void encode(char* place, dtype type, pack<T, count> values) {
  encode_inline(place, type, values);
}

}  // namespace gradstep::GS_TARGET
