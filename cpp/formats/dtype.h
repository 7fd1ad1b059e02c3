// How a number lies in memory. Arithmetic is in float or double only; see storage/convert.h.
#pragma once

#include <cstdint>

namespace gradstep {

enum class dtype : uint8_t { f64, f32, f16, bf16 };
constexpr int dtype_count = 4;
constexpr int64_t dtype_bytes[dtype_count] = {8, 4, 2, 2};
constexpr const char* dtype_names[dtype_count] = {"f64", "f32", "f16", "bf16"};

// The type a rule computes in: double for f64 parameters, float for all others.
enum class arithmetic : uint8_t { f32, f64 };

}  // namespace gradstep
