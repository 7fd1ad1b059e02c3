// Random numbers in an array, and a digest of an array's bytes.
#pragma once

#include "cuda/launch.h"
#include "formats/list.h"
#include "numeric/philox.h"

namespace gradstep::GS_TARGET::tune {

constexpr unsigned fill_threads = 256;
inline unsigned fill_blocks(int64_t count) {
  const int64_t blocks = (count + 8 * fill_threads - 1) / (8 * fill_threads);
  return unsigned(blocks < 1 ? 1 : blocks > 4096 ? 4096 : blocks);
}

// Uniform from `low` to `high`, a function of the seed and the element's number.
template <class Storage>
__global__ void __launch_bounds__(fill_threads)
    fill_kernel(char* data, int64_t count, uint64_t seed, float low, float high) {
  auto* const numbers = reinterpret_cast<typename Storage::bits*>(data);
  const int64_t stride = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    const float fraction = float(philox(uint64_t(i), seed).a >> 8) * 0x1p-24f;
    numbers[i] = Storage::encode(fma(high - low, fraction, low));
  }
}

// Adds to digest[0] and digest[1] a hash of each word and its place.
template <class Word>
__global__ void __launch_bounds__(fill_threads)
    digest_kernel(const Word* words, int64_t count, unsigned* digest) {
  unsigned first = 0, second = 0;
  const int64_t stride = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    const philox_block hash = philox(uint64_t(i), words[i]);
    first += hash.a;
    second += hash.b;
  }
  atomicAdd(digest, first);
  atomicAdd(digest + 1, second);
}

inline const char* add_digest(const char* data, int64_t bytes, unsigned* digest, cudaStream_t stream) {
  const int64_t count = bytes / int64_t(sizeof(uint32_t));
  return launch(digest_kernel<uint32_t>, fill_blocks(count), fill_threads, stream,
                reinterpret_cast<const uint32_t*>(data), count, digest);
}

}  // namespace gradstep::GS_TARGET::tune
