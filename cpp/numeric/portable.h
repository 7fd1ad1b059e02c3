// Code that may run on a device too, and code that is compiled once for each CPU target. It is IEEE
// arithmetic without contraction, and always inlined, so that no target's body of it is ever shared with
// another.
#pragma once

#if defined(__CUDACC__)
#define GS_HD __host__ __device__ __forceinline__
#else
#define GS_HD inline __attribute__((always_inline))
#endif

// Of a lambda that is called more than once.
#define GS_INLINE __attribute__((always_inline))

// A branch that registers hardly ever take, kept out of the hot code.
#if defined(__CUDACC__) || defined(GS_SCALAR)
#define GS_RARE GS_HD
#else
#define GS_RARE __attribute__((noinline, cold))
#endif
