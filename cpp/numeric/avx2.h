// The intrinsics of AVX2 with FMA and F16C.
#pragma once

#include <immintrin.h>

#include "numeric/registers.h"

namespace gradstep::GS_TARGET {

GS_HD native_f32 broadcast(float x) { return _mm256_set1_ps(x); }
GS_HD native_f64 broadcast(double x) { return _mm256_set1_pd(x); }
GS_HD native_f32 native_fma(native_f32 a, native_f32 b, native_f32 c) { return _mm256_fmadd_ps(a, b, c); }
GS_HD native_f64 native_fma(native_f64 a, native_f64 b, native_f64 c) { return _mm256_fmadd_pd(a, b, c); }
GS_HD native_f32 native_sqrt(native_f32 x) { return _mm256_sqrt_ps(x); }
GS_HD native_f64 native_sqrt(native_f64 x) { return _mm256_sqrt_pd(x); }

// True if a lane is infinite or NaN.
GS_HD bool has_lost(native_f32 x) { return _mm256_movemask_ps(native_f32(x - x != 0)) != 0; }
GS_HD bool has_lost(native_f64 x) { return _mm256_movemask_pd(native_f64(x - x != 0)) != 0; }

GS_HD native_f32 native_load_f16(const uint16_t* from) {
  return native_f32(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
GS_HD void native_store_f16(uint16_t* to, native_f32 x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

// Two registers of numbers that follow one another, and the even and the odd ones among them.
GS_HD void native_separate(native_f32& a, native_f32& b) {
  const __m256 low = _mm256_permute2f128_ps(a, b, 0x20), high = _mm256_permute2f128_ps(a, b, 0x31);
  a = _mm256_shuffle_ps(low, high, 0x88);
  b = _mm256_shuffle_ps(low, high, 0xdd);
}
GS_HD void native_interleave(native_f32& even, native_f32& odd) {
  const __m256 low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
  even = _mm256_permute2f128_ps(low, high, 0x20);
  odd = _mm256_permute2f128_ps(low, high, 0x31);
}

// The upper words of numbers, one more where the lower word rounds them up: to nearest, ties to even.
GS_HD native_u16 native_round_words(native_u16 upper, native_u16 lower) {
  const __m256i even = _mm256_andnot_si256(__m256i(upper), _mm256_set1_epi16(1));
  const __m256i over = _mm256_subs_epu16(__m256i(lower), even);  // its sign says that it rounds up
  return native_u16(_mm256_add_epi16(__m256i(upper), _mm256_srli_epi16(over, 15)));
}
// The lower word of each number from a, the upper one from b.
GS_HD native_u16 native_join_words(native_u32 a, native_u32 b) {
  return native_u16(_mm256_blend_epi16(__m256i(a), __m256i(b), 0xaa));
}

// Where a lane of a or b is NaN.
GS_HD native_i32 native_unordered(native_f32 a, native_f32 b) {
  return native_i32(_mm256_cmp_ps(a, b, _CMP_UNORD_Q));
}
GS_HD bool native_any(native_i32 lanes) { return _mm256_movemask_ps(native_f32(lanes)) != 0; }

// Access to the first `count` elements.
inline constexpr bool has_masked_access = true;
GS_HD __m256i lanes32(int count) { return __m256i(native_i32{0, 1, 2, 3, 4, 5, 6, 7} < count); }
GS_HD __m256i lanes64(int count) { return __m256i(native_i64{0, 1, 2, 3} < int64_t(count)); }

GS_HD native_f32 native_load_part(const float* from, int count) {
  return native_f32(_mm256_maskload_ps(from, lanes32(count)));
}
GS_HD void native_store_part(float* to, native_f32 x, int count) {
  _mm256_maskstore_ps(to, lanes32(count), x);
}
GS_HD native_f64 native_load_part(const double* from, int count) {
  return native_f64(_mm256_maskload_pd(from, lanes64(count)));
}
GS_HD void native_store_part(double* to, native_f64 x, int count) {
  _mm256_maskstore_pd(to, lanes64(count), x);
}

}  // namespace gradstep::GS_TARGET
