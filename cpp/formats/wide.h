// Formats of the arithmetic types themselves, which the compiler converts.
#pragma once

#include "formats/format.h"

#if defined(GS_TARGET)
#include "numeric/math.h"

namespace gradstep::GS_TARGET::formats {

template <class Float>
struct wide {
  using bits = Float;
  template <class T>
  static GS_HD T decode(Float x) {
    return T(x);
  }
  template <class T>
  static GS_HD Float encode(T x) {
    return Float(x);
  }

#if !defined(GS_SCALAR) && !defined(__CUDACC__)
  static GS_HD vec<Float> decode_register(const Float* from) { return load(from); }
  static GS_HD void encode_register(Float* to, vec<Float> x) { store(to, x); }
#endif
};

}  // namespace gradstep::GS_TARGET::formats
#endif
