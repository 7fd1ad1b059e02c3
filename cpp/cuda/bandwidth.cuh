// A plain kernel that reads four arrays and writes three of them back, to measure the bandwidth of memory.
#pragma once

#include "cuda/runtime.h"
#include "device/engine_api.h"

namespace gradstep::GS_TARGET {

struct alignas(16) memory_pack {
  unsigned words[4];
};

// A pack of each array for a thread. `mask` is 0, an argument, so that the compiler can't leave anything out.
__global__ void __launch_bounds__(block_threads) rewrite_kernel(rewritten_arrays arrays, unsigned mask) {
  const int64_t i = int64_t(blockIdx.x) * block_threads + threadIdx.x;
  if (i >= arrays.packs) return;
  const memory_pack read = reinterpret_cast<const memory_pack*>(arrays.read)[i];
  memory_pack packs[3];
  GS_UNROLL
  for (int k = 0; k < 3; ++k) packs[k] = reinterpret_cast<const memory_pack*>(arrays.written[k])[i];
  GS_UNROLL
  for (int k = 0; k < 3; ++k) {
    GS_UNROLL
    for (int word = 0; word < 4; ++word) packs[k].words[word] ^= read.words[word] & mask;
    reinterpret_cast<memory_pack*>(arrays.written[k])[i] = packs[k];
  }
}

}  // namespace gradstep::GS_TARGET
