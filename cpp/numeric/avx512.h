// The intrinsics of AVX-512.
#pragma once

#include <immintrin.h>

#include "numeric/registers.h"

namespace gradstep::GS_TARGET {

GS_HD native_f32 broadcast(float x) { return _mm512_set1_ps(x); }
GS_HD native_f64 broadcast(double x) { return _mm512_set1_pd(x); }
GS_HD native_f32 native_fma(native_f32 a, native_f32 b, native_f32 c) { return _mm512_fmadd_ps(a, b, c); }
GS_HD native_f64 native_fma(native_f64 a, native_f64 b, native_f64 c) { return _mm512_fmadd_pd(a, b, c); }
GS_HD native_f32 native_sqrt(native_f32 x) { return _mm512_sqrt_ps(x); }
GS_HD native_f64 native_sqrt(native_f64 x) { return _mm512_sqrt_pd(x); }

// True if a lane is infinite or NaN.
constexpr int infinite_or_nan = 0x99;  // the classes of instructions that classify
GS_HD bool has_lost(native_f32 x) { return _mm512_fpclass_ps_mask(x, infinite_or_nan) != 0; }
GS_HD bool has_lost(native_f64 x) { return _mm512_fpclass_pd_mask(x, infinite_or_nan) != 0; }

GS_HD native_f32 native_load_f16(const uint16_t* from) {
  return native_f32(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
}
GS_HD void native_store_f16(uint16_t* to, native_f32 x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

// Two registers of numbers that follow one another, and the even and the odd ones among them.
GS_HD void native_separate(native_f32& a, native_f32& b) {
  const native_i32 even = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
  const __m512 all = a;
  a = _mm512_permutex2var_ps(all, __m512i(even), b);
  b = _mm512_permutex2var_ps(all, __m512i(even + 1), b);
}
GS_HD void native_interleave(native_f32& even, native_f32& odd) {
  const native_i32 first = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23};
  const __m512 all = even;
  even = _mm512_permutex2var_ps(all, __m512i(first), odd);
  odd = _mm512_permutex2var_ps(all, __m512i(first + 8), odd);
}

// The upper words of numbers, one more where the lower word rounds them up: to nearest, ties to even.
GS_HD native_u16 native_round_words(native_u16 upper, native_u16 lower) {
  const __m512i sticky =
      _mm512_ternarylogic_epi32(__m512i(lower), __m512i(upper), _mm512_set1_epi16(1), 0xf8);  // a | (b & c)
  const __mmask32 up = _mm512_cmpgt_epu16_mask(sticky, _mm512_set1_epi16(short(0x8000)));
  return native_u16(_mm512_mask_sub_epi16(__m512i(upper), up, __m512i(upper), _mm512_set1_epi16(-1)));
}
// The lower word of each number from a, the upper one from b.
GS_HD native_u16 native_join_words(native_u32 a, native_u32 b) {
  return native_u16(_mm512_mask_blend_epi16(0xaaaaaaaa, __m512i(a), __m512i(b)));
}

// Where a lane of a or b is NaN.
GS_HD __mmask16 native_unordered(native_f32 a, native_f32 b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q);
}
GS_HD bool native_any(__mmask16 lanes) { return lanes != 0; }

// Access to the first `count` elements.
inline constexpr bool has_masked_access = true;
GS_HD native_f32 native_load_part(const float* from, int count) {
  return native_f32(_mm512_maskz_loadu_ps(__mmask16((1u << count) - 1), from));
}
GS_HD void native_store_part(float* to, native_f32 x, int count) {
  _mm512_mask_storeu_ps(to, __mmask16((1u << count) - 1), x);
}
GS_HD native_f64 native_load_part(const double* from, int count) {
  return native_f64(_mm512_maskz_loadu_pd(__mmask8((1u << count) - 1), from));
}
GS_HD void native_store_part(double* to, native_f64 x, int count) {
  _mm512_mask_storeu_pd(to, __mmask8((1u << count) - 1), x);
}

}  // namespace gradstep::GS_TARGET
