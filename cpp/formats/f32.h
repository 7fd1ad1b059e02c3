// IEEE binary32.
#pragma once

#include "formats/wide.h"

namespace gradstep {

constexpr format f32_format = {"f32", "float32", 4, dlpack_float, arithmetic::f32};

}  // namespace gradstep

#if defined(GS_TARGET)
namespace gradstep::GS_TARGET::formats {

using f32 = wide<float>;

}  // namespace gradstep::GS_TARGET::formats
#endif
