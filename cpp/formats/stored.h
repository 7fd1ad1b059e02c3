// How each dtype is decoded and encoded, a number or a register at a time. Encoding rounds once, to nearest
// even.
#pragma once

#include "formats/dtype.h"
#include "formats/half.h"

namespace gradstep::GS_TARGET {

// A storage is its bits, one number's decode and encode, and the same for a whole register.
template <class Float>
struct stored_float {
  using bits = Float;
  template <class T>
  static GS_HD T decode(Float x) {
    return T(x);
  }
  template <class T>
  static GS_HD Float encode(T x) {
    return Float(x);
  }
};
using stored_f64 = stored_float<double>;
using stored_f32 = stored_float<float>;

struct stored_f16 {
  using bits = uint16_t;
  template <class T>
  static GS_HD T decode(uint16_t x) {
    return T(f16_to_float(x));
  }
  static GS_HD uint16_t encode(float x) { return float_to_f16(x); }
  static GS_HD uint16_t encode(double x) { return float_to_f16(round_to_odd(x)); }
#if !defined(GS_SCALAR) && !defined(__CUDACC__)
  static GS_HD vec<float> decode_register(const uint16_t* from) { return load_f16(from); }
  static GS_HD void encode_register(uint16_t* to, vec<float> x) { store_f16(to, x); }
#endif
};

struct stored_bf16 {
  using bits = uint16_t;
  template <class T>
  static GS_HD T decode(uint16_t x) {
    return T(bf16_to_float(x));
  }
  static GS_HD uint16_t encode(float x) { return float_to_bf16(x); }
  static GS_HD uint16_t encode(double x) { return float_to_bf16(round_to_odd(x)); }
#if !defined(GS_SCALAR) && !defined(__CUDACC__)
  static GS_HD vec<float> decode_register(const uint16_t* from) { return load_bf16(from); }
  static GS_HD void encode_register(uint16_t* to, vec<float> x) { store_bf16(to, x); }
#endif
};

}  // namespace gradstep::GS_TARGET
