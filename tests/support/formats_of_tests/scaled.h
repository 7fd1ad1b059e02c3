// Numbers as parts of the largest of their group: the parts in binary16, the largest of 32 in float32.
#pragma once

#include "formats/f16.h"

namespace gradstep {

constexpr format scaled_format = {"scaled", "", 2, 0, arithmetic::f32, {32, 4}};

}  // namespace gradstep

#if defined(GS_TARGET)
namespace gradstep::GS_TARGET::formats {

struct scaled : f16 {
  static constexpr int group = 32, second_bytes = sizeof(float);
  static_assert(group == scaled_format.second.group && second_bytes == scaled_format.second.bytes);

  // One number of a group whose second plane lies there.
  template <class T>
  static GS_HD T decode_in_group(uint16_t part, const char* second) {
    return T(f16::decode<float>(part) * scale_at(second));
  }
  // A group, or what there is of the last one. A NaN makes all of it NaN.
  template <class T>
  static GS_HD void encode_group(const T* numbers, int count, uint16_t* parts, char* second) {
    float scale = 0;
    for (int i = 0; i < count; ++i) scale = maximum(scale, abs(float(numbers[i])));
    __builtin_memcpy(second, &scale, sizeof scale);
    for (int i = 0; i < count; ++i)
      parts[i] = scale == 0 ? uint16_t(0) : f16::encode(float(numbers[i]) / scale);
  }

 private:
  static GS_HD float scale_at(const char* second) {
    float scale;
    __builtin_memcpy(&scale, second, sizeof scale);
    return scale;
  }
};

}  // namespace gradstep::GS_TARGET::formats
#endif
