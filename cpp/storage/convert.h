// From stored numbers to arithmetic ones and back, an array at a time. Encoding rounds once, to nearest even.
#pragma once

#include "dtype.h"
#include "half.h"

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
#if !defined(GS_SCALAR)
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
#if !defined(GS_SCALAR)
  static GS_HD vec<float> decode_register(const uint16_t* from) { return load_bf16(from); }
  static GS_HD void encode_register(uint16_t* to, vec<float> x) { store_bf16(to, x); }
#endif
};

template <class Storage, class T>
void decode(const void* from, void* to, int64_t n) {
  const auto* in = static_cast<const typename Storage::bits*>(from);
  auto* out = static_cast<T*>(to);
  int64_t i = 0;
  if constexpr (requires(vec<T> x) { x = Storage::decode_register(in); })
    for (; i + lanes<T> <= n; i += lanes<T>) store(out + i, Storage::decode_register(in + i));
  for (; i < n; ++i) out[i] = Storage::template decode<T>(in[i]);
}

template <class Storage, class T>
void encode(const void* from, void* to, int64_t n) {
  const auto* in = static_cast<const T*>(from);
  auto* out = static_cast<typename Storage::bits*>(to);
  int64_t i = 0;
  if constexpr (requires(vec<T> x) { Storage::encode_register(out, x); })
    for (; i + lanes<T> <= n; i += lanes<T>) Storage::encode_register(out + i, load(in + i));
  for (; i < n; ++i) out[i] = Storage::encode(in[i]);
}

}  // namespace gradstep::GS_TARGET
