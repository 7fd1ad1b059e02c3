// Formats of fewer bits than a float, which are converted through one. Encoding rounds once, to nearest even.
#pragma once

#include "formats/format.h"

#if defined(GS_TARGET)
#include "formats/rounding.h"

namespace gradstep::GS_TARGET::formats {

// `Format` declares its conversions from and to a float.
template <class Format>
struct narrow {
  using bits = uint16_t;

  template <class T>
  static GS_HD T decode(uint16_t x) {
    return T(Format::to_float(x));
  }
  static GS_HD uint16_t encode(float x) { return Format::of_float(x); }
  static GS_HD uint16_t encode(double x) { return Format::of_float(round_to_odd(x)); }
};

}  // namespace gradstep::GS_TARGET::formats
#endif
