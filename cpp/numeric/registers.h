// The size of a target's registers, and the compiler's vectors of that size.
#pragma once

#include <cstdint>

#include "numeric/portable.h"

namespace gradstep::GS_TARGET {

#if defined(GS_AVX512)
inline constexpr int register_bytes = 64;
#elif defined(GS_AVX2)
inline constexpr int register_bytes = 32;
#else
inline constexpr int register_bytes = 16;
#endif

typedef float native_f32 __attribute__((vector_size(register_bytes)));
typedef double native_f64 __attribute__((vector_size(register_bytes)));
typedef int32_t native_i32 __attribute__((vector_size(register_bytes)));
typedef int64_t native_i64 __attribute__((vector_size(register_bytes)));
typedef uint32_t native_u32 __attribute__((vector_size(register_bytes)));
typedef uint16_t native_u16 __attribute__((vector_size(register_bytes)));
typedef uint16_t native_half __attribute__((vector_size(register_bytes / 2)));  // as many as a native_f32 has

}  // namespace gradstep::GS_TARGET
