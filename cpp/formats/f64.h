// IEEE binary64.
#pragma once

#include "formats/wide.h"

namespace gradstep {

constexpr format f64_format = {"f64", "float64", 8, dlpack_float, arithmetic::f64};

}  // namespace gradstep

#if defined(GS_TARGET)
namespace gradstep::GS_TARGET::formats {

using f64 = wide<double>;

}  // namespace gradstep::GS_TARGET::formats
#endif
