// Numbers of 16 bits and floats, by the processor's own conversions where it has them. Those differ from a
// format's own in a NaN's bits alone.
#pragma once

#include "cuda/runtime.h"
#include "formats/list.h"

#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

namespace gradstep::GS_TARGET {

template <class Format>
inline constexpr bool is_half =
    sizeof(typename Format::bits) == sizeof(uint16_t) && !formats::is_grouped<Format>;

template <class Format>
struct halves {
  __device__ __forceinline__ static float decode(uint16_t bits) {
    return Format::template decode<float>(bits);
  }
  __device__ __forceinline__ static uint32_t encode_two(float first, float second) {
    return Format::encode(first) | uint32_t(Format::encode(second)) << 16;
  }
};

#if defined(__CUDACC__)
template <class Two>
__device__ __forceinline__ uint32_t word_of(const Two& two) {
  uint32_t word;
  memcpy(&word, &two, sizeof word);
  return word;
}

template <>
struct halves<formats::bf16> {
  __device__ __forceinline__ static float decode(uint16_t bits) { return formats::bf16::to_float(bits); }
  __device__ __forceinline__ static uint32_t encode_two(float first, float second) {
    return word_of(__floats2bfloat162_rn(first, second));
  }
};
template <>
struct halves<formats::f16> {
  __device__ __forceinline__ static float decode(uint16_t bits) {
    return __half2float(__ushort_as_half(bits));
  }
  __device__ __forceinline__ static uint32_t encode_two(float first, float second) {
    return word_of(__floats2half2_rn(first, second));
  }
};
#endif

template <class Format, class T>
__device__ __forceinline__ typename Format::bits encode_number(T x) {
  if constexpr (is_half<Format> && sizeof(T) == sizeof(float))
    return uint16_t(halves<Format>::encode_two(x, x));
  else
    return Format::encode(x);
}
template <class Format, class T>
__device__ __forceinline__ T decode_number(typename Format::bits bits) {
  if constexpr (is_half<Format>)
    return T(halves<Format>::decode(bits));
  else
    return Format::template decode<T>(bits);
}

}  // namespace gradstep::GS_TARGET
