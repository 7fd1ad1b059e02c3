// The only intrinsics: vec<T> is a register of floats or doubles of the target being compiled.
//
// Arithmetic, comparison and selection come from the compiler's vector types; what those lack (broadcast,
// fma, square root, half precision) is one intrinsic each. On the scalar target a vec<T> is a plain T.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(GS_AVX2) || defined(GS_AVX512)
#include <immintrin.h>
#elif defined(GS_NEON)
#include <arm_neon.h>
#endif

namespace gradstep::GS_TARGET {

#if defined(GS_SCALAR)

template <class T>
using vec = T;
template <class T>
inline constexpr int lanes = 1;

#else

#if defined(GS_AVX512)
inline constexpr int register_bytes = 64;
#elif defined(GS_AVX2)
inline constexpr int register_bytes = 32;
#else
inline constexpr int register_bytes = 16;
#endif

template <class T>
inline constexpr int lanes = register_bytes / int(sizeof(T));

typedef float native_f32 __attribute__((vector_size(register_bytes)));
typedef double native_f64 __attribute__((vector_size(register_bytes)));
typedef int32_t native_i32 __attribute__((vector_size(register_bytes)));
typedef int64_t native_i64 __attribute__((vector_size(register_bytes)));

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

#if defined(GS_AVX512)
GS_HD native_f32 broadcast(float x) { return _mm512_set1_ps(x); }
GS_HD native_f64 broadcast(double x) { return _mm512_set1_pd(x); }
GS_HD native_f32 native_fma(native_f32 a, native_f32 b, native_f32 c) { return _mm512_fmadd_ps(a, b, c); }
GS_HD native_f64 native_fma(native_f64 a, native_f64 b, native_f64 c) { return _mm512_fmadd_pd(a, b, c); }
GS_HD native_f32 native_sqrt(native_f32 x) { return _mm512_sqrt_ps(x); }
GS_HD native_f64 native_sqrt(native_f64 x) { return _mm512_sqrt_pd(x); }
#elif defined(GS_AVX2)
GS_HD native_f32 broadcast(float x) { return _mm256_set1_ps(x); }
GS_HD native_f64 broadcast(double x) { return _mm256_set1_pd(x); }
GS_HD native_f32 native_fma(native_f32 a, native_f32 b, native_f32 c) { return _mm256_fmadd_ps(a, b, c); }
GS_HD native_f64 native_fma(native_f64 a, native_f64 b, native_f64 c) { return _mm256_fmadd_pd(a, b, c); }
GS_HD native_f32 native_sqrt(native_f32 x) { return _mm256_sqrt_ps(x); }
GS_HD native_f64 native_sqrt(native_f64 x) { return _mm256_sqrt_pd(x); }
#elif defined(GS_NEON)
GS_HD native_f32 broadcast(float x) { return (native_f32)vdupq_n_f32(x); }
GS_HD native_f64 broadcast(double x) { return (native_f64)vdupq_n_f64(x); }
GS_HD native_f32 native_fma(native_f32 a, native_f32 b, native_f32 c) {
  return (native_f32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
GS_HD native_f64 native_fma(native_f64 a, native_f64 b, native_f64 c) {
  return (native_f64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
GS_HD native_f32 native_sqrt(native_f32 x) { return (native_f32)vsqrtq_f32((float32x4_t)x); }
GS_HD native_f64 native_sqrt(native_f64 x) { return (native_f64)vsqrtq_f64((float64x2_t)x); }
#endif

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
typedef uint16_t native_half __attribute__((vector_size(register_bytes / 2)));
typedef uint32_t native_u32 __attribute__((vector_size(register_bytes)));

GS_HD vec<float> load_bf16(const uint16_t* from) {
  native_half half;
  std::memcpy(&half, from, sizeof half);
  return native_f32(__builtin_convertvector(half, native_u32) << 16);
}
GS_HD void store_bf16(uint16_t* to, vec<float> x) {
  const native_u32 bits = native_u32(x.v);
  const native_u32 rounded = bits + 0x7fff + ((bits >> 16) & 1);
  const native_u32 chosen = (x.v != x.v) ? (bits | 0x400000) : rounded;
  const native_half half = __builtin_convertvector(chosen >> 16, native_half);
  std::memcpy(to, &half, sizeof half);
}

// True if a lane is infinite or NaN.
#if defined(GS_AVX512)
constexpr int infinite_or_nan = 0x99;  // the classes of instructions that classify
GS_HD bool has_lost(native_f32 x) { return _mm512_fpclass_ps_mask(x, infinite_or_nan) != 0; }
GS_HD bool has_lost(native_f64 x) { return _mm512_fpclass_pd_mask(x, infinite_or_nan) != 0; }
#elif defined(GS_AVX2)
GS_HD bool has_lost(native_f32 x) { return _mm256_movemask_ps(native_f32(x - x != 0)) != 0; }
GS_HD bool has_lost(native_f64 x) { return _mm256_movemask_pd(native_f64(x - x != 0)) != 0; }
#elif defined(GS_NEON)
GS_HD bool has_lost(native_f32 x) { return vmaxvq_u32(uint32x4_t(x - x != 0)) != 0; }
GS_HD bool has_lost(native_f64 x) { return vmaxvq_u32(uint32x4_t(x - x != 0)) != 0; }
#endif
template <class T>
GS_HD bool may_be_lost(vec<T> x) {
  return __builtin_expect(has_lost(x.v), 0);
}

#if defined(GS_AVX512)
GS_HD vec<float> load_f16(const uint16_t* from) {
  return native_f32(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
}
GS_HD void store_f16(uint16_t* to, vec<float> x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT));
}
#elif defined(GS_AVX2)
GS_HD vec<float> load_f16(const uint16_t* from) {
  return native_f32(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
GS_HD void store_f16(uint16_t* to, vec<float> x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT));
}
#elif defined(GS_NEON)
GS_HD vec<float> load_f16(const uint16_t* from) {
  return native_f32(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from))));
}
GS_HD void store_f16(uint16_t* to, vec<float> x) {
  vst1_u16(to, vreinterpret_u16_f16(vcvt_f16_f32(float32x4_t(x.v))));
}
#endif

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
#if defined(GS_AVX512)
GS_HD vec<float> load_part(const float* from, int count) {
  return native_f32(_mm512_maskz_loadu_ps(__mmask16((1u << count) - 1), from));
}
GS_HD void store_part(float* to, vec<float> x, int count) {
  _mm512_mask_storeu_ps(to, __mmask16((1u << count) - 1), x.v);
}
GS_HD vec<double> load_part(const double* from, int count) {
  return native_f64(_mm512_maskz_loadu_pd(__mmask8((1u << count) - 1), from));
}
GS_HD void store_part(double* to, vec<double> x, int count) {
  _mm512_mask_storeu_pd(to, __mmask8((1u << count) - 1), x.v);
}
#elif defined(GS_AVX2)
GS_HD __m256i lanes32(int count) { return __m256i(native_i32{0, 1, 2, 3, 4, 5, 6, 7} < count); }
GS_HD __m256i lanes64(int count) { return __m256i(native_i64{0, 1, 2, 3} < int64_t(count)); }

GS_HD vec<float> load_part(const float* from, int count) {
  return native_f32(_mm256_maskload_ps(from, lanes32(count)));
}
GS_HD void store_part(float* to, vec<float> x, int count) { _mm256_maskstore_ps(to, lanes32(count), x.v); }
GS_HD vec<double> load_part(const double* from, int count) {
  return native_f64(_mm256_maskload_pd(from, lanes64(count)));
}
GS_HD void store_part(double* to, vec<double> x, int count) { _mm256_maskstore_pd(to, lanes64(count), x.v); }
#else
template <class T>
GS_HD vec<T> load_part(const T* from, int count) {
  T padded[lanes<T>] = {};
  std::memcpy(padded, from, sizeof(T) * size_t(count));
  return load(padded);
}
template <class T>
GS_HD void store_part(T* to, vec<T> x, int count) {
  T padded[lanes<T>];
  store(padded, x);
  std::memcpy(to, padded, sizeof(T) * size_t(count));
}
#endif

}  // namespace gradstep::GS_TARGET
