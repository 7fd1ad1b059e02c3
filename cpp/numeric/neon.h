// The intrinsics of NEON.
#pragma once

#include <arm_neon.h>

#include "numeric/registers.h"

namespace gradstep::GS_TARGET {

GS_HD native_f32 broadcast(float x) { return (native_f32)vdupq_n_f32(x); }
GS_HD native_f64 broadcast(double x) { return (native_f64)vdupq_n_f64(x); }
GS_HD native_f32 native_fma(native_f32 a, native_f32 b, native_f32 c) {
  return (native_f32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
GS_HD native_f64 native_fma(native_f64 a, native_f64 b, native_f64 c) {
  return (native_f64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
GS_HD native_f32 native_sqrt(native_f32 x) { return (native_f32)vsqrtq_f32((float32x4_t)x); }
GS_HD native_f64 native_sqrt(native_f64 x) { return (native_f64)vsqrtq_f64((float64x2_t)x); }

// True if a lane is infinite or NaN.
GS_HD bool has_lost(native_f32 x) { return vmaxvq_u32(uint32x4_t(x - x != 0)) != 0; }
GS_HD bool has_lost(native_f64 x) { return vmaxvq_u32(uint32x4_t(x - x != 0)) != 0; }

GS_HD native_f32 native_load_f16(const uint16_t* from) {
  return native_f32(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from))));
}
GS_HD void native_store_f16(uint16_t* to, native_f32 x) {
  vst1_u16(to, vreinterpret_u16_f16(vcvt_f16_f32(float32x4_t(x))));
}

// Two registers of numbers that follow one another, and the even and the odd ones among them.
GS_HD void native_separate(native_f32& a, native_f32& b) {
  const float32x4_t all = (float32x4_t)a;
  a = (native_f32)vuzp1q_f32(all, (float32x4_t)b);
  b = (native_f32)vuzp2q_f32(all, (float32x4_t)b);
}
GS_HD void native_interleave(native_f32& even, native_f32& odd) {
  const float32x4_t all = (float32x4_t)even;
  even = (native_f32)vzip1q_f32(all, (float32x4_t)odd);
  odd = (native_f32)vzip2q_f32(all, (float32x4_t)odd);
}

// The upper words of numbers, one more where the lower word rounds them up: to nearest, ties to even.
GS_HD native_u16 native_round_words(native_u16 upper, native_u16 lower) {
  return upper - native_u16((lower | (upper & uint16_t(1))) > uint16_t(0x8000));
}
// The lower word of each number from a, the upper one from b.
GS_HD native_u16 native_join_words(native_u32 a, native_u32 b) {
  return native_u16((a & 0xffff) | (b & 0xffff0000));
}

// Where a lane of a or b is NaN.
GS_HD native_i32 native_unordered(native_f32 a, native_f32 b) { return (a != a) | (b != b); }
GS_HD bool native_any(native_i32 lanes) { return vmaxvq_u32(uint32x4_t(lanes)) != 0; }

inline constexpr bool has_masked_access = false;

}  // namespace gradstep::GS_TARGET
