// Enough of CUDA, in plain C++, to run kernels on the host: the same source is then tested where there is no
// GPU. The threads of a block take turns, the blocks come one after the other; what would hang or be
// undefined on a device (a barrier that not all threads reach, lanes that differ at a shuffle) ends the
// process with a text that says where.
#pragma once

#include <cstring>
#include <source_location>

#include "cuda/emulation/runtime.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__
#define __launch_bounds__(...)
#define __shared__ static thread_local

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

inline constinit thread_local uint3 threadIdx = {}, blockIdx = {};
inline constinit thread_local dim3 blockDim = {}, gridDim = {};

constexpr int warpSize = 32;

namespace gradstep::emulation {

using place = std::source_location;

void meet_block(const place& where);
// Meets the other lanes of the warp, and returns the word that lane `from` has brought, or its own where
// there is no such lane.
using word = unsigned long long;
word exchange(unsigned mask, word mine, int from, const place& where);

template <class T>
T exchange_value(unsigned mask, T value, int from, const place& where) {
  static_assert(sizeof(T) <= sizeof(word));
  word bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = exchange(mask, bits, from, where);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline int lane() { return int(threadIdx.x % warpSize); }

// The lane itself where `from` lies outside of its part of the warp.
inline int within(int from, int width) { return from / width == lane() / width ? from : lane(); }

}  // namespace gradstep::emulation

inline void __syncthreads(const std::source_location& where = std::source_location::current()) {
  gradstep::emulation::meet_block(where);
}

inline void __syncwarp(unsigned mask = ~0u,
                       const std::source_location& where = std::source_location::current()) {
  gradstep::emulation::exchange(mask, 0, gradstep::emulation::lane(), where);
}

template <class T>
T __shfl_sync(unsigned mask, T value, int from, int width = warpSize,
              const std::source_location& where = std::source_location::current()) {
  namespace here = gradstep::emulation;
  return here::exchange_value(mask, value, here::lane() / width * width + from % width, where);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = warpSize,
                   const std::source_location& where = std::source_location::current()) {
  namespace here = gradstep::emulation;
  return here::exchange_value(mask, value, here::within(here::lane() + int(by), width), where);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int by, int width = warpSize,
                  const std::source_location& where = std::source_location::current()) {
  namespace here = gradstep::emulation;
  return here::exchange_value(mask, value, here::within(here::lane() ^ by, width), where);
}

// Nothing runs at the same time.
inline unsigned atomicAdd(unsigned* sum, unsigned term) {
  const unsigned before = *sum;
  *sum += term;
  return before;
}
inline unsigned atomicInc(unsigned* count, unsigned last) {
  const unsigned before = *count;
  *count = before >= last ? 0 : before + 1;
  return before;
}
inline void __threadfence() {}
