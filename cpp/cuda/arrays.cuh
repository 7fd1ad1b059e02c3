// Reading and writing an array's elements by a thread of a device.
#pragma once

#include "cuda/halves.cuh"
#include "device/table.h"
#include "formats/list.h"

namespace gradstep::GS_TARGET {

__device__ __forceinline__ int64_t bytes_of(dtype type) {
#define GS_BYTES(name) type == dtype::name ? int64_t(sizeof(formats::name::bits)):
  return GS_FORMATS(GS_BYTES) 0;
#undef GS_BYTES
}

// A few numbers that lie together, moved by one access, or by two where they are more than 16 bytes: as a
// whole, for the compiler moves a reference's numbers one by one.
constexpr int pack_alignment(int bytes) { return bytes < 16 ? bytes : 16; }

template <class Number, int count>
struct alignas(pack_alignment(int(sizeof(Number)) * count)) pack {
  Number x[count];

  __device__ __forceinline__ static pack load(const char* place) {
    GS_ASSUME_GLOBAL(place);
    return *reinterpret_cast<const pack*>(place);
  }
  __device__ __forceinline__ void store(char* place) const {
    GS_ASSUME_GLOBAL(place);
    *reinterpret_cast<pack*>(place) = *this;
  }
};

template <class Format, class T, int count>
__device__ __forceinline__ void encode_pack(char* place, const pack<T, count>& values) {
  pack<typename Format::bits, count> stored;
  if constexpr (is_half<Format> && count % 2 == 0 && sizeof(T) == sizeof(float)) {
    GS_UNROLL
    for (int k = 0; k < count; k += 2) {
      const uint32_t two = halves<Format>::encode_two(values.x[k], values.x[k + 1]);
      stored.x[k] = uint16_t(two), stored.x[k + 1] = uint16_t(two >> 16);
    }
  } else {
    GS_UNROLL
    for (int k = 0; k < count; ++k) stored.x[k] = encode_number<Format>(values.x[k]);
  }
  stored.store(place);
}

template <class T, int count>
__device__ __forceinline__ void encode_inline(char* place, dtype type, const pack<T, count>& values) {
  switch (type) {
#define GS_WRITE(name) \
  case dtype::name:    \
    return encode_pack<formats::name>(place, values);
    GS_FORMATS(GS_WRITE)
#undef GS_WRITE
  }
}

// Calls, not inlined: for every array of a step they would be most of a kernel's code.
template <class T>
[[gnu::noinline]] __device__ T read_number(const char* place, dtype type) {
  switch (type) {
#define GS_READ(name) \
  case dtype::name:   \
    return decode_number<formats::name, T>(pack<formats::name::bits, 1>::load(place).x[0]);
    GS_FORMATS(GS_READ)
#undef GS_READ
  }
  return {};
}
template <class T, int count>
[[gnu::noinline]] __device__ void encode(char* place, dtype type, pack<T, count> values) {
  encode_inline(place, type, values);
}
// For the emulated device alone, as yet: a thread of a GPU that holds a whole group needs local memory.
#if defined(__CUDACC__)
constexpr bool has_grouped_formats = false;
#else
#define GS_GROUPED(name) || formats::is_grouped<formats::name>
constexpr bool has_grouped_formats = false GS_FORMATS(GS_GROUPED);
#undef GS_GROUPED
#endif

// Calls f<Format>() for the array's format with groups; there is one.
template <class F>
__device__ __forceinline__ void with_grouped_format(dtype type, const F& f) {
#define GS_CALL(name)                                                \
  if constexpr (formats::is_grouped<formats::name>) {                \
    if (type == dtype::name) f.template operator()<formats::name>(); \
  }
  GS_FORMATS(GS_CALL)
#undef GS_CALL
}

template <class T>
[[gnu::noinline]] __device__ T read_in_group(const device_array& array, int64_t i) {
  T found = {};
  with_grouped_format(array.type, [&]<class Format>() {
    using bits = typename Format::bits;
    const auto number = pack<bits, 1>::load(array.data + i * int64_t(sizeof(bits))).x[0];
    found =
        Format::template decode_in_group<T>(number, array.second + i / Format::group * Format::second_bytes);
  });
  return found;
}
template <class T>
[[gnu::noinline]] __device__ void write_group(const device_array& array, int64_t i, const T* numbers,
                                              int count) {
  with_grouped_format(array.type, [&]<class Format>() {
    using bits = typename Format::bits;
    bits made[Format::group];
    Format::encode_group(numbers, count, made, array.second + i / Format::group * Format::second_bytes);
    for (int k = 0; k < count; ++k)
      pack<bits, 1>{made[k]}.store(array.data + (i + k) * int64_t(sizeof(bits)));
  });
}

[[gnu::noinline]] __device__ inline int64_t strided_offset(const device_layout& layout, int64_t i) {
  int64_t offset = 0;
  for (int d = layout.ndim - 1; d >= 0; --d) {
    offset += i % layout.sizes[d] * layout.strides[d];
    i /= layout.sizes[d];
  }
  return offset;
}

// Ways to the elements from i on, `count` at once, or `there` of them at an array's end. What is loaded is
// decoded apart, once all that a step needs is on its way: whatever else is done to it would be waited for.

// Of arrays that lie straight in the arithmetic type itself.
template <class T, int packed>
struct native_access {
  static constexpr int count = packed;
  static constexpr bool is_straight = true;
  static constexpr reach by = reach::native;
  using values = pack<T, count>;
  using loaded = values;
  using number = pack<T, 1>;

  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout*, int64_t i) {
    return values::load(array.data + i * int64_t(sizeof(T)));
  }
  __device__ __forceinline__ static values decode(const loaded& bits, dtype) { return bits; }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    x.store(array.data + i * int64_t(sizeof(T)));
  }
  __device__ __forceinline__ static loaded load_some(const device_array& array, int64_t i, int there) {
    values x = {};
    GS_UNROLL
    for (int k = 0; k < count; ++k)
      if (k < there) x.x[k] = number::load(array.data + (i + k) * int64_t(sizeof(T))).x[0];
    return x;
  }
  __device__ __forceinline__ static void store_some(const device_array& array, int64_t i, int there,
                                                    const values& x) {
    GS_UNROLL
    for (int k = 0; k < count; ++k)
      if (k < there) number{x.x[k]}.store(array.data + (i + k) * int64_t(sizeof(T)));
  }
};

// Of arrays that lie straight in f32 or in 16 bits, for arithmetic in f32.
template <int packed>
struct stored_access {
  static constexpr int count = packed;
  static_assert(count % 2 == 0);
  static constexpr bool is_straight = true;
  static constexpr reach by = reach::stored;
  using values = pack<float, count>;
  using words = pack<uint32_t, count / 2>;
  struct loaded {
    words first;  // all numbers of 16 bits
    words rest;   // of those of 32
  };

  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout*, int64_t i) {
    const bool wide = array.type == dtype::f32;
    const char* const from = array.data + i * (wide ? sizeof(float) : sizeof(uint16_t));
    loaded bits = {};
    bits.first = words::load(from);
    if (wide) bits.rest = words::load(from + sizeof(words));
    return bits;
  }
  __device__ __forceinline__ static values decode(const loaded& bits, dtype type) {
    values x;
    if (type == dtype::f32) {
      memcpy(&x, &bits, sizeof x);
      return x;
    }
#define GS_DECODE(name)                 \
  if constexpr (is_half<formats::name>) \
    if (type == dtype::name) return decode_halves<formats::name>(bits.first);
    GS_FORMATS(GS_DECODE)
#undef GS_DECODE
    return {};
  }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    encode_inline(array.data + i * bytes_of(array.type), array.type, x);
  }
  __device__ __forceinline__ static loaded load_some(const device_array& array, int64_t i, int there) {
    loaded bits = {};
    GS_UNROLL
    for (int k = 0; k < count; ++k) {
      if (k >= there) break;
      if (array.type == dtype::f32)
        (k < count / 2 ? bits.first : bits.rest).x[k % (count / 2)] =
            pack<uint32_t, 1>::load(array.data + (i + k) * int64_t(sizeof(float))).x[0];
      else
        bits.first.x[k / 2] |=
            uint32_t(pack<uint16_t, 1>::load(array.data + (i + k) * int64_t(sizeof(uint16_t))).x[0])
            << 16 * (k % 2);
    }
    return bits;
  }
  __device__ __forceinline__ static void store_some(const device_array& array, int64_t i, int there,
                                                    const values& x) {
    GS_UNROLL
    for (int k = 0; k < count; ++k)
      if (k < there) encode(array.data + (i + k) * bytes_of(array.type), array.type, pack<float, 1>{x.x[k]});
  }

 private:
  template <class Format>
  __device__ __forceinline__ static values decode_halves(const words& bits) {
    values x;
    GS_UNROLL
    for (int k = 0; k < count; ++k) x.x[k] = halves<Format>::decode(uint16_t(bits.x[k / 2] >> 16 * (k % 2)));
    return x;
  }
};

// Of one element of such an array.
struct straight_number {
  static constexpr int count = 1;
  static constexpr bool is_straight = true;
  using values = pack<float, 1>;
  using loaded = pack<uint32_t, 1>;

  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout*, int64_t i) {
    if (array.type == dtype::f32) return loaded::load(array.data + i * int64_t(sizeof(float)));
    return {pack<uint16_t, 1>::load(array.data + i * int64_t(sizeof(uint16_t))).x[0]};
  }
  __device__ __forceinline__ static values decode(const loaded& bits, dtype type) {
#define GS_DECODE(name)                 \
  if constexpr (is_half<formats::name>) \
    if (type == dtype::name) return {halves<formats::name>::decode(uint16_t(bits.x[0]))};
    GS_FORMATS(GS_DECODE)
#undef GS_DECODE
    values x;
    memcpy(&x, &bits, sizeof x);
    return x;
  }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    encode(array.data + i * bytes_of(array.type), array.type, x);
  }
};

// Of one element, wherever it lies.
template <class T>
struct placed_access {
  static constexpr int count = 1;
  static constexpr bool is_straight = false;
  using values = pack<T, 1>;
  using loaded = values;

  __device__ __forceinline__ static char* place(const device_array& array, const device_layout* layouts,
                                                int64_t i) {
    const bool straight = array.layout < 0;
    return array.data + (straight ? i * bytes_of(array.type) : strided_offset(layouts[array.layout], i));
  }
  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout* layouts,
                                                int64_t i) {
    if constexpr (has_grouped_formats)
      if (array.second) return {read_in_group<T>(array, i)};
    return {read_number<T>(place(array, layouts, i), array.type)};
  }
  __device__ __forceinline__ static values decode(const loaded& number, dtype) { return number; }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout* layouts,
                                               int64_t i, const values& x) {
    encode(place(array, layouts, i), array.type, x);
  }
};

// Of a whole group by one thread, where an array is of a format with groups: the last one may have less.
template <class T>
struct grouped_access {
  static constexpr int count = 32;
  static constexpr bool is_straight = false;
  using values = pack<T, count>;
  using loaded = values;

  __device__ __forceinline__ static int count_at(const device_array& array, int64_t i) {
    return array.size - i < count ? int(array.size - i) : count;
  }
  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout* layouts,
                                                int64_t i) {
    values found = {};
    for (int k = 0; k < count_at(array, i); ++k)
      found.x[k] = placed_access<T>::load(array, layouts, i + k).x[0];
    return found;
  }
  __device__ __forceinline__ static values decode(const loaded& numbers, dtype) { return numbers; }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout* layouts,
                                               int64_t i, const values& x) {
    if (array.second) return write_group(array, i, x.x, count_at(array, i));
    for (int k = 0; k < count_at(array, i); ++k) placed_access<T>::store(array, layouts, i + k, {x.x[k]});
  }
};

// A copy is of any type, however its parameter is reached.
template <class Access>
__device__ __forceinline__ void store_copy(const device_array& copy, const device_layout* layouts, int64_t i,
                                           const typename Access::values& x) {
  if constexpr (Access::is_straight)
    encode(copy.data + i * bytes_of(copy.type), copy.type, x);
  else
    Access::store(copy, layouts, i, x);
}
template <class Access>
__device__ __forceinline__ void store_some_of_copy(const device_array& copy, int64_t i, int there,
                                                   const typename Access::values& x) {
  using number = std::remove_cvref_t<decltype(x.x[0])>;
  GS_UNROLL
  for (int k = 0; k < Access::count; ++k)
    if (k < there) encode(copy.data + (i + k) * bytes_of(copy.type), copy.type, pack<number, 1>{x.x[k]});
}

// Of one element of arrays that lie straight.
template <class T>
using straight_access = std::conditional_t<sizeof(T) == 8, native_access<T, 1>, straight_number>;

// Calls part<Access, in_flight>(first, end) for elements that are reached one by one, or by groups.
template <class T, int in_flight, class Part>
__device__ __forceinline__ void visit_singles(const ways& by, int64_t first, int64_t end, const Part& part) {
  if constexpr (has_grouped_formats)
    if (!by.single) {
      constexpr int group = grouped_access<T>::count;
      part.template operator()<grouped_access<T>, 1>(first, (end + group - 1) / group * group);
      return;
    }
  if (by.straight)
    part.template operator()<straight_access<T>, in_flight>(first, end);
  else
    part.template operator()<placed_access<T>, 1>(first, end);
}

// Calls part<Access, in_flight>(first, end), which returns where those elements begin that are too few for an
// access, by the widest way that there is, and for what is left. `limits` says how many packs and single
// elements are on their way at once.
template <class T, class limits, class Part>
__device__ __forceinline__ void visit_by(const ways& by, int64_t first, int64_t end, const Part& part) {
  if (reach_of(by) == reach::native)
    first = part.template operator()<native_access<T, pack_count<T>>, limits::packs>(first, end);
  else if constexpr (sizeof(T) == sizeof(float))
    if (reach_of(by) == reach::stored)
      first = part.template operator()<stored_access<stored_pack_count>, 1>(first, end);
  if (first < end) visit_singles<T, limits::singles>(by, first, end, part);
}

}  // namespace gradstep::GS_TARGET
