// What may run on a device too: IEEE arithmetic without contraction. Always inlined, so that no target's body
// of it is ever shared with another.
#pragma once

#if defined(__CUDACC__)
#define GS_ANYWHERE __host__ __device__ __forceinline__
#else
#define GS_ANYWHERE inline __attribute__((always_inline))
#endif
