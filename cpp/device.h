// What may run on a device too. Such a function is IEEE arithmetic without contraction, on both.
#pragma once

#if defined(__CUDACC__)
#define GS_ANYWHERE __host__ __device__ inline
#else
#define GS_ANYWHERE inline
#endif
