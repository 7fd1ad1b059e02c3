// Numbers for tests: random ones, and an independent reference of how each format stores them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

#include "formats/list.h"

namespace checks {

using gradstep::dtype;

// The same numbers on every machine, which the distributions of <random> do not promise.
class random_numbers {
 public:
  explicit random_numbers(uint64_t seed) : engine_(seed) {}

  uint64_t bits() { return engine_(); }
  int64_t between(int64_t least, int64_t most) {
    return least + int64_t(bits() % uint64_t(most - least + 1));
  }
  bool chance(int one_in) { return bits() % uint64_t(one_in) == 0; }
  double uniform() { return std::ldexp(double(bits() >> 11), -52) - 1; }  // from -1 to 1
  double wide() { return std::ldexp(uniform(), int(between(-40, 40))); }  // whose sums depend on their order

 private:
  std::mt19937_64 engine_;
};

template <class To, class From>
To same_bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

struct short_float {
  int fraction_bits, least_exponent;  // of the normal numbers
  uint16_t infinity;
};
constexpr short_float short_float_of(dtype type) {
  return type == dtype::f16 ? short_float{10, -14, 0x7c00} : short_float{7, -126, 0x7f80};
}

inline double decode(uint16_t bits, dtype type) {
  const short_float format = short_float_of(type);
  const double sign = bits >> 15 ? -1 : 1;
  const int magnitude = bits & 0x7fff, fraction = magnitude % (1 << format.fraction_bits);
  const int exponent = magnitude >> format.fraction_bits;
  if (magnitude > format.infinity) return std::numeric_limits<double>::quiet_NaN();
  if (magnitude == format.infinity) return sign * std::numeric_limits<double>::infinity();
  const int unit = format.least_exponent - format.fraction_bits;
  if (exponent == 0) return sign * std::ldexp(fraction, unit);
  return sign * std::ldexp((1 << format.fraction_bits) + fraction, unit + exponent - 1);
}

// Rounds to nearest even, once; not for NaN.
inline uint16_t encode(double x, dtype type) {
  const short_float format = short_float_of(type);
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  if (std::isinf(x)) return uint16_t(sign | format.infinity);
  const int exponent = x == 0 ? format.least_exponent : std::max(std::ilogb(x), format.least_exponent);
  const double units = std::nearbyint(std::ldexp(std::abs(x), format.fraction_bits - exponent));
  // A carry out of the fraction comes to the next exponent by itself.
  const int64_t magnitude =
      (int64_t(exponent - format.least_exponent) << format.fraction_bits) + int64_t(units);
  return uint16_t(sign | uint16_t(std::min(magnitude, int64_t(format.infinity))));
}

template <class T>
T stored_at(const void* place) {
  T x;
  std::memcpy(&x, place, sizeof x);
  return x;
}

inline double number_at(const void* place, dtype type) {
  if (type == dtype::f64) return stored_at<double>(place);
  if (type == dtype::f32) return double(stored_at<float>(place));
  return decode(stored_at<uint16_t>(place), type);
}

inline void set_number(void* place, dtype type, double x) {
  const float narrow = float(x);
  const uint16_t bits = encode(x, type == dtype::f16 ? dtype::f16 : dtype::bf16);
  const void* const from = type == dtype::f64   ? static_cast<const void*>(&x)
                           : type == dtype::f32 ? static_cast<const void*>(&narrow)
                                                : &bits;
  std::memcpy(place, from, size_t(gradstep::format_of(type).bytes));
}

}  // namespace checks
