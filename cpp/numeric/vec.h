// A register of floats or doubles of the target being compiled: vec<T>.
//
// Arithmetic, comparison and selection come from the compiler's vector types; what those lack (broadcast,
// fma, square root, half precision, masked access) is one intrinsic each, in the header of the target: the
// only intrinsics. On the scalar target a vec<T> is a plain T.
#pragma once

#include <cstdint>
#include <cstring>

#include "numeric/portable.h"

#if defined(GS_AVX512)
#include "numeric/avx512.h"
#elif defined(GS_AVX2)
#include "numeric/avx2.h"
#elif defined(GS_NEON)
#include "numeric/neon.h"
#endif

namespace gradstep::GS_TARGET {

#if defined(GS_SCALAR)

template <class T>
using vec = T;
template <class T>
inline constexpr int lanes = 1;
inline constexpr bool has_masked_access = false;

#else

template <class T>
inline constexpr int lanes = register_bytes / int(sizeof(T));

template <class T>
struct lane_types;
template <>
struct lane_types<float> {
  using native = native_f32;
  using mask = native_i32;
};
template <>
struct lane_types<double> {
  using native = native_f64;
  using mask = native_i64;
};

template <class T>
struct vec {
  using native = typename lane_types<T>::native;
  using mask = typename lane_types<T>::mask;
  native v;

  vec() = default;
  GS_HD vec(native x) : v(x) {}
  GS_HD explicit vec(T x) : v(broadcast(x)) {}

  GS_HD friend vec operator+(vec a, vec b) { return a.v + b.v; }
  GS_HD friend vec operator-(vec a, vec b) { return a.v - b.v; }
  GS_HD friend vec operator*(vec a, vec b) { return a.v * b.v; }
  GS_HD friend vec operator/(vec a, vec b) { return a.v / b.v; }
  GS_HD friend vec operator-(vec a) { return -a.v; }
  GS_HD friend mask operator<(vec a, vec b) { return a.v < b.v; }
  GS_HD friend mask operator>(vec a, vec b) { return a.v > b.v; }
  GS_HD friend mask operator!=(vec a, vec b) { return a.v != b.v; }

  GS_HD friend vec fma(vec a, vec b, vec c) { return native_fma(a.v, b.v, c.v); }
  GS_HD friend vec sqrt(vec x) { return native_sqrt(x.v); }
  GS_HD friend vec select(mask condition, vec yes, vec no) { return condition ? yes.v : no.v; }
  GS_HD friend vec abs(vec x) { return select(x < vec(T(0)), -x, x) + vec(T(0)); }
};

// Sixteen-bit numbers, a register's worth: f16 by the hardware's conversion, bf16 by integer arithmetic.
GS_HD vec<float> load_f16(const uint16_t* from) { return native_load_f16(from); }
GS_HD void store_f16(uint16_t* to, vec<float> x) { native_store_f16(to, x.v); }
GS_HD vec<float> load_bf16(const uint16_t* from) {
  native_half half;
  std::memcpy(&half, from, sizeof half);
  return native_f32(__builtin_convertvector(half, native_u32) << 16);
}
// In the upper words, rounded to nearest even; a NaN keeps its sign and stays a NaN.
GS_HD native_u32 round_to_bf16(vec<float> x) {
  const native_u32 bits = native_u32(x.v);
  const native_u32 rounded = bits + 0x7fff + ((bits >> 16) & 1);
  return (x.v != x.v) ? (bits | 0x400000) : rounded;
}
GS_HD void store_bf16(uint16_t* to, vec<float> x) {
  const native_half half = __builtin_convertvector(round_to_bf16(x) >> 16, native_half);
  std::memcpy(to, &half, sizeof half);
}

// Two registers of numbers that follow one another: the first half of them and the second, or, where they are
// separated, the even ones and the odd ones.
struct register_pair {
  vec<float> first, second;
};

GS_HD register_pair separate(register_pair x) {
  native_separate(x.first.v, x.second.v);
  return x;
}
GS_HD register_pair interleave(register_pair x) {
  native_interleave(x.first.v, x.second.v);
  return x;
}

template <class... Pairs>
GS_HD bool has_nan(const Pairs&... all) {
  return native_any((native_unordered(all.first.v, all.second.v) | ...));
}

// Separated, bf16 numbers are decoded and rounded where they lie in the words of a register, all at once.
GS_HD register_pair load_separated_bf16(const uint16_t* from) {
  native_u32 words;
  std::memcpy(&words, from, sizeof words);
  return {native_f32(words << 16), native_f32(words & 0xffff0000)};
}
GS_HD void store_separated_bf16(uint16_t* to, register_pair x, bool with_nan) {
  native_u16 words;
  if (__builtin_expect(with_nan, 0)) {
    words = native_join_words(round_to_bf16(x.first) >> 16, round_to_bf16(x.second));
  } else {
    const native_u32 even = native_u32(x.first.v), odd = native_u32(x.second.v);
    words = native_round_words(native_join_words(even >> 16, odd), native_join_words(even, odd << 16));
  }
  std::memcpy(to, &words, sizeof words);
}

template <class T>
GS_HD bool may_be_lost(vec<T> x) {
  return __builtin_expect(has_lost(x.v), 0);
}

#endif

// Numbers of an array of the user, which need not be aligned, one by one: a dereferenced pointer would
// promise that they are.
template <class T>
GS_HD T load_one(const T* from) {
  T x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
template <class T>
GS_HD void store_one(T* to, T x) {
  std::memcpy(to, &x, sizeof x);
}

// Unaligned access; `count` below the number of lanes touches only the first `count` elements.
template <class T>
GS_HD vec<T> load(const T* from) {
  vec<T> x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
template <class T>
GS_HD void store(T* to, vec<T> x) {
  std::memcpy(to, &x, sizeof x);
}
template <class T>
GS_HD vec<T> load_part(const T* from, int count) {
  if constexpr (has_masked_access) return native_load_part(from, count);
  T padded[lanes<T>] = {};
  std::memcpy(padded, from, sizeof(T) * size_t(count));
  return load(padded);
}
template <class T>
GS_HD void store_part(T* to, vec<T> x, int count) {
  if constexpr (has_masked_access) return native_store_part(to, x.v, count);
  T padded[lanes<T>];
  store(padded, x);
  std::memcpy(to, padded, sizeof(T) * size_t(count));
}

}  // namespace gradstep::GS_TARGET
