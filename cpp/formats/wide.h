// Formats of the arithmetic types themselves, which the compiler converts.
#pragma once

#include "formats/format.h"

#if defined(GS_TARGET)
#include "numeric/portable.h"

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
};

}  // namespace gradstep::GS_TARGET::formats
#endif
