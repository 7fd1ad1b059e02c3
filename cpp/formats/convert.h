// Conversion from stored numbers to numbers of the arithmetic type and back, an array at a time.
#pragma once

#include <cstring>

#include "formats/list.h"
#include "numeric/prefetch.h"
#include "numeric/vec.h"

namespace gradstep::GS_TARGET {

// Calls visit(first, count) for each group of n numbers.
template <class Format, class Visit>
GS_HD void for_each_group(int64_t n, const Visit& visit) {
  for (int64_t i = 0; i < n; i += Format::group) visit(i, n - i < Format::group ? int(n - i) : Format::group);
}

template <class Format, class T>
void decode_groups(const planes& from, T* out, int64_t n) {
  const auto* const in = reinterpret_cast<const typename Format::bits*>(from.numbers);
  const char* second = from.second;
  for_each_group<Format>(n, [&](int64_t first, int count) {
    for (int64_t i = first; i < first + count; ++i)
      out[i] = Format::template decode_in_group<T>(load_one(in + i), second);
    second += Format::second_bytes;
  });
}

template <class Format, class T>
void encode_groups(const T* in, const planes& to, int64_t n) {
  char* second = to.second;
  for_each_group<Format>(n, [&](int64_t first, int count) {
    typename Format::bits numbers[Format::group];
    Format::encode_group(in + first, count, numbers, second);
    std::memcpy(to.numbers + first * int64_t(sizeof numbers[0]), numbers, size_t(count) * sizeof numbers[0]);
    second += Format::second_bytes;
  });
}

template <class Format, class T>
void decode(const planes& from, void* to, int64_t n) {
  auto* out = static_cast<T*>(to);
  if constexpr (formats::is_grouped<Format>) return decode_groups<Format>(from, out, n);
  const auto* in = reinterpret_cast<const typename Format::bits*>(from.numbers);
  int64_t i = 0;
  if constexpr (requires(vec<T> x) { x = Format::decode_register(in); })
    for (; i + lanes<T> <= n; i += lanes<T>) {
      prefetch<lanes<T>>(in, i);
      store(out + i, Format::decode_register(in + i));
    }
  for (; i < n; ++i) store_one(out + i, Format::template decode<T>(load_one(in + i)));
}

template <class Format, class T>
void encode(const void* from, const planes& to, int64_t n) {
  const auto* in = static_cast<const T*>(from);
  if constexpr (formats::is_grouped<Format>) return encode_groups<Format>(in, to, n);
  auto* out = reinterpret_cast<typename Format::bits*>(to.numbers);
  int64_t i = 0;
  if constexpr (requires(vec<T> x) { Format::encode_register(out, x); })
    for (; i + lanes<T> <= n; i += lanes<T>) Format::encode_register(out + i, load(in + i));
  for (; i < n; ++i) store_one(out + i, typename Format::bits(Format::encode(load_one(in + i))));
}

}  // namespace gradstep::GS_TARGET
