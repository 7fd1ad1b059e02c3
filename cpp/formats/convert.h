// From stored numbers to arithmetic ones and back, an array at a time.
#pragma once

#include "formats/list.h"
#include "numeric/vec.h"

namespace gradstep::GS_TARGET {

template <class Storage, class T>
void decode(const void* from, void* to, int64_t n) {
  const auto* in = static_cast<const typename Storage::bits*>(from);
  auto* out = static_cast<T*>(to);
  int64_t i = 0;
  if constexpr (requires(vec<T> x) { x = Storage::decode_register(in); })
    for (; i + lanes<T> <= n; i += lanes<T>) store(out + i, Storage::decode_register(in + i));
  for (; i < n; ++i) store_one(out + i, Storage::template decode<T>(load_one(in + i)));
}

template <class Storage, class T>
void encode(const void* from, void* to, int64_t n) {
  const auto* in = static_cast<const T*>(from);
  auto* out = static_cast<typename Storage::bits*>(to);
  int64_t i = 0;
  if constexpr (requires(vec<T> x) { Storage::encode_register(out, x); })
    for (; i + lanes<T> <= n; i += lanes<T>) Storage::encode_register(out + i, load(in + i));
  for (; i < n; ++i) store_one(out + i, typename Storage::bits(Storage::encode(load_one(in + i))));
}

}  // namespace gradstep::GS_TARGET
