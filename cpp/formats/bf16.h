// bfloat16: the upper half of a float.
#pragma once

#include "formats/narrow.h"

namespace gradstep {

constexpr format bf16_format = {"bf16", "bfloat16", 2, dlpack_bfloat, arithmetic::f32};

}  // namespace gradstep

#if defined(GS_TARGET)
namespace gradstep::GS_TARGET::formats {

struct bf16 : narrow<bf16> {
  static GS_HD float to_float(uint16_t h) { return float_of(uint32_t(h) << 16); }
  static GS_HD uint16_t of_float(float x) {
    const uint32_t bits = bits_of(x);
    const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
    const uint32_t quiet = bits | 0x400000;  // a NaN keeps its sign and stays a NaN
    return uint16_t((x != x ? quiet : rounded) >> 16);
  }

#if !defined(GS_SCALAR) && !defined(__CUDACC__)
  static GS_HD vec<float> decode_register(const uint16_t* from) { return load_bf16(from); }
  static GS_HD void encode_register(uint16_t* to, vec<float> x) { store_bf16(to, x); }

  static GS_HD register_pair decode_separated(const uint16_t* from) { return load_separated_bf16(from); }
  static GS_HD void encode_separated(uint16_t* to, register_pair x, bool with_nan) {
    store_separated_bf16(to, x, with_nan);
  }
#endif
};

}  // namespace gradstep::GS_TARGET::formats
#endif
