// CUDA, or the host that stands in for it.
#pragma once

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#define GS_UNROLL _Pragma("unroll")
// Spares every access the question which of the device's memories a pointer leads to.
#define GS_ASSUME_GLOBAL(pointer) __builtin_assume(__isGlobal(pointer))
#else
#include "cuda/emulation.h"
#define GS_UNROLL
#define GS_ASSUME_GLOBAL(pointer)
#endif

namespace gradstep {

#if defined(__CUDACC__)
constexpr int device_type = 2;  // DLPack's, for CUDA
#else
constexpr int device_type = 1;  // and for the host
#endif

constexpr int warp_size = 32;
constexpr int block_threads = 256;
constexpr int block_warps = block_threads / warp_size;
constexpr int blocks_per_processor = 2;  // at least: else ptxas aims at more, and spills

}  // namespace gradstep
