// Arrays as they are stored, decoded into registers and encoded out of them: a switch over the formats for
// two registers takes as good as no time, and a loop for each mix of formats would take many times the code.
#pragma once

#include <concepts>
#include <type_traits>

#include "formats/list.h"
#include "host/simd/target.h"
#include "numeric/prefetch.h"

namespace gradstep::GS_TARGET {

#if defined(GS_SCALAR)

template <class Format>
inline constexpr bool in_registers = false;
inline constexpr int stored_unit = 0;

#else

inline constexpr int stored_unit = 2 * lanes<float>;

template <class Format>
inline constexpr bool in_registers =
    !formats::is_grouped<Format> && requires(typename Format::bits* numbers) {
      { Format::decode_register(numbers) } -> std::same_as<vec<float> >;
    };
template <class Format>
inline constexpr bool is_separable =
    requires(typename Format::bits* numbers) { Format::decode_separated(numbers); };

// The formats that a run may have.
template <class Format, bool separated>
inline constexpr bool is_in_run =
    in_registers<Format> && (!separated || is_separable<Format> || std::is_same_v<Format, formats::f32>);

template <class Format, bool separated>
GS_HD register_pair read_pair(const char* numbers, int64_t i) {
  const auto* const from = reinterpret_cast<const typename Format::bits*>(numbers);
  prefetch<stored_unit>(from, i);
  if constexpr (separated && is_separable<Format>) return Format::decode_separated(from + i);
  const register_pair x = {Format::decode_register(from + i),
                           Format::decode_register(from + i + lanes<float>)};
  return separated ? separate(x) : x;
}

// `with_nan`: there may be a NaN among them.
template <class Format, bool separated>
GS_HD void write_pair(char* numbers, int64_t i, register_pair x, bool with_nan) {
  auto* const to = reinterpret_cast<typename Format::bits*>(numbers) + i;
  if constexpr (separated && is_separable<Format>) return Format::encode_separated(to, x, with_nan);
  if (separated) x = interleave(x);
  Format::encode_register(to, x.first);
  Format::encode_register(to + lanes<float>, x.second);
}

// An array of a run, whose registers are separated or not.
template <bool separated>
class stored_run {
 public:
  GS_HD explicit stored_run(const stored_array& array) : numbers_(array.numbers), type_(array.type) {}

  GS_HD explicit operator bool() const { return numbers_; }

  GS_HD register_pair read(int64_t i) const {
    register_pair x;
    visit_format([&](auto format) GS_INLINE { x = read_pair<decltype(format), separated>(numbers_, i); });
    return x;
  }
  GS_HD void write(int64_t i, register_pair x, bool with_nan) const {
    visit_format([&](auto format)
                     GS_INLINE { write_pair<decltype(format), separated>(numbers_, i, x, with_nan); });
  }

 private:
  // Separable formats come first: it is they that have the least time.
  template <class Visit>
  GS_HD void visit_format(const Visit& visit) const {
#define GS_VISIT(name)                                    \
  if constexpr (separated && is_separable<formats::name>) \
    if (__builtin_expect(type_ == dtype::name, 1)) return visit(formats::name{});
    GS_FORMATS(GS_VISIT)
#undef GS_VISIT
#define GS_VISIT(name)                                                                \
  case dtype::name:                                                                   \
    if constexpr (is_in_run<formats::name, separated>) return visit(formats::name{}); \
    break;
    switch (type_) { GS_FORMATS(GS_VISIT) }
#undef GS_VISIT
    __builtin_unreachable();
  }

  char* numbers_;
  dtype type_;
};

// Separated registers save separable formats some ten instructions, and cost float two shuffles or more.
GS_HD bool suits_separated(const stored_operands& x) {
  int separable = 0;
  bool possible = true;
#define GS_COUNT(name)                              \
  if (each->numbers && each->type == dtype::name) { \
    separable += is_separable<formats::name>;       \
    possible &= is_in_run<formats::name, true>;     \
  }
  for (const stored_array* each : {&x.p, &x.g, &x.s[0], &x.s[1], &x.s[2], &x.s[3], &x.average, &x.copy}) {
    GS_FORMATS(GS_COUNT)
  }
#undef GS_COUNT
  return possible && separable > 1;
}

#endif

}  // namespace gradstep::GS_TARGET
