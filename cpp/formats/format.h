// The facts of a format that every machine knows. A format's header declares them, and how its numbers are
// decoded and encoded. Arithmetic is in float or double only.
#pragma once

#include <cstdint>

namespace gradstep {

// The type a rule computes in: double for f64 parameters, float for all others.
enum class arithmetic : uint8_t { f32, f64 };

constexpr uint8_t dlpack_float = 2, dlpack_bfloat = 4,
                  dlpack_complex = 5;  // DLPack's codes of kinds of types

// A second plane of memory, with `bytes` bytes for each group of numbers.
struct second_plane {
  int64_t group = 0;  // 0 for none
  int64_t bytes = 0;
};

struct format {
  const char* name;
  const char* library_name;  // in NumPy and torch; empty where these do not know it
  int64_t bytes;             // of a number in the first plane
  uint8_t dlpack_code;
  arithmetic computes_in;
  second_plane second = {};
};

// The place of a run of numbers that starts at the beginning of a group.
struct planes {
  char* numbers;
  char* second;  // null where the format has none
};

}  // namespace gradstep

#if defined(GS_TARGET)
namespace gradstep::GS_TARGET::formats {

// A format with a second plane declares how a group is decoded and encoded; one without, how a number is.
template <class Format>
inline constexpr bool is_grouped = requires { Format::group; };

// A format may also say how a register of its numbers is decoded and encoded (decode_register), and two
// registers at once whose even and odd numbers are apart (decode_separated); `with_nan` says that one may be
// NaN.

}  // namespace gradstep::GS_TARGET::formats
#endif
