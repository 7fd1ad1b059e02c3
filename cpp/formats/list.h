// Every format, by its name.
#pragma once

#include "formats/bf16.h"
#include "formats/f16.h"
#include "formats/f32.h"
#include "formats/f64.h"

// Formats that the tests alone have (tests/support/formats_of_tests), behind those of the library.
#if defined(GRADSTEP_TEST_FORMATS)
#include GRADSTEP_TEST_FORMATS
#else
#define GS_FORMATS_OF_TESTS(X)
#endif

#define GS_FORMATS(X) \
  X(f64)              \
  X(f32)              \
  X(f16)              \
  X(bf16)             \
  GS_FORMATS_OF_TESTS(X)

namespace gradstep {

#define GS_NAME(name) name,
enum class dtype : uint8_t { GS_FORMATS(GS_NAME) };
#undef GS_NAME

#define GS_FORMAT(name) name##_format,
constexpr format all_formats[] = {GS_FORMATS(GS_FORMAT)};
#undef GS_FORMAT

constexpr int dtype_count = int(sizeof(all_formats) / sizeof(all_formats[0]));

constexpr const format& format_of(dtype type) { return all_formats[int(type)]; }
constexpr arithmetic arithmetic_of(dtype type) { return format_of(type).computes_in; }
// The format whose numbers are those of the arithmetic.
constexpr dtype native_format(arithmetic type) { return type == arithmetic::f64 ? dtype::f64 : dtype::f32; }

}  // namespace gradstep
