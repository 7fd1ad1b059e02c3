// Numbers of a format with groups, which share a second plane.
#pragma once

#include "cuda/packs.cuh"
#include "device/table.h"

namespace gradstep::GS_TARGET {

// For the emulated device only, so far: a thread of a GPU that holds a whole group needs local memory.
#if defined(__CUDACC__)
constexpr bool has_grouped_formats = false;
#else
#define GS_GROUPED(name) || formats::is_grouped<formats::name>
constexpr bool has_grouped_formats = false GS_FORMATS(GS_GROUPED);
#undef GS_GROUPED
#endif

// Calls f<Format>() for the array's format with groups; there is one.
template <class F>
__device__ __forceinline__ void with_grouped_format(dtype type, const F& f) {
#define GS_CALL(name)                                                \
  if constexpr (formats::is_grouped<formats::name>) {                \
    if (type == dtype::name) f.template operator()<formats::name>(); \
  }
  GS_FORMATS(GS_CALL)
#undef GS_CALL
}

template <class T>
[[gnu::noinline]] __device__ T read_in_group(const device_array& array, int64_t i) {
  T found = {};
  with_grouped_format(array.type, [&]<class Format>() {
    using bits = typename Format::bits;
    const auto number = pack<bits, 1>::load(array.data + i * int64_t(sizeof(bits))).x[0];
    found =
        Format::template decode_in_group<T>(number, array.second + i / Format::group * Format::second_bytes);
  });
  return found;
}
template <class T>
[[gnu::noinline]] __device__ void write_group(const device_array& array, int64_t i, const T* numbers,
                                              int count) {
  with_grouped_format(array.type, [&]<class Format>() {
    using bits = typename Format::bits;
    bits made[Format::group];
    Format::encode_group(numbers, count, made, array.second + i / Format::group * Format::second_bytes);
    for (int k = 0; k < count; ++k)
      pack<bits, 1>{made[k]}.store(array.data + (i + k) * int64_t(sizeof(bits)));
  });
}

}  // namespace gradstep::GS_TARGET
