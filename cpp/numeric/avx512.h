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
