// IEEE binary16.
#pragma once

#include "formats/narrow.h"

namespace gradstep {

constexpr format f16_format = {"f16", "float16", 2, dlpack_float, arithmetic::f32};

}  // namespace gradstep

#if defined(GS_TARGET)
namespace gradstep::GS_TARGET::formats {

struct f16 : narrow<f16> {
  static GS_HD float to_float(uint16_t h) {
    const uint32_t sign = uint32_t(h & 0x8000) << 16;
    const uint32_t magnitude = h & 0x7fff;
    // As a float with the same fraction the number is too small by 2^112, exactly, subnormals included.
    const float scaled = float_of(magnitude << 13) * 0x1p112f;
    const uint32_t bits = magnitude >= 0x7c00 ? 0x7f800000 | (magnitude & 0x3ff) << 13 : bits_of(scaled);
    return float_of(sign | bits);
  }
  static GS_HD uint16_t of_float(float x) {
    const uint32_t sign = bits_of(x) >> 16 & 0x8000;
    const uint32_t magnitude = bits_of(x) & 0x7fffffff;
    uint32_t half;
    if (magnitude > 0x7f800000) {
      half = 0x7e00 | (magnitude >> 13 & 0x3ff);  // NaN
    } else if (magnitude >= 0x477ff000) {
      half = 0x7c00;  // rounds to infinity
    } else if (magnitude < 0x38800000) {
      // Subnormal: adding 0.5 leaves the result, rounded to even, in the low bits of the sum.
      half = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
    } else {
      half = (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13;
    }
    return uint16_t(sign | half);
  }

#if !defined(GS_SCALAR) && !defined(__CUDACC__)
  static GS_HD vec<float> decode_register(const uint16_t* from) { return load_f16(from); }
  static GS_HD void encode_register(uint16_t* to, vec<float> x) { store_f16(to, x); }
#endif
};

}  // namespace gradstep::GS_TARGET::formats
#endif
