// How a number lies in memory, as far as that is known on every machine. Arithmetic is in float or double
// only. A format's header says this of it, and how its numbers are decoded and encoded.
#pragma once

#include <cstdint>

namespace gradstep {

// The type a rule computes in: double for f64 parameters, float for all others.
enum class arithmetic : uint8_t { f32, f64 };

constexpr uint8_t dlpack_float = 2, dlpack_bfloat = 4,
                  dlpack_complex = 5;  // DLPack's codes of kinds of types

struct format {
  const char* name;
  const char* library_name;  // in NumPy and torch
  int64_t bytes;             // of a number
  uint8_t dlpack_code;
  arithmetic computes_in;
};

}  // namespace gradstep
