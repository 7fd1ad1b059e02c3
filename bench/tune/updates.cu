// The update by packs: of which numbers, how many blocks a processor has, how much a block takes.
#include "predictions.h"
#include "update_by.cuh"

namespace gradstep::GS_TARGET::tune {

namespace {

// Arrays of bf16 alone, by the packs of a step that takes any mixture.
template <int numbers>
struct bf16_access : native_access<float, numbers> {
  using values = pack<float, numbers>;
  using loaded = pack<uint16_t, numbers>;
  using two = halves<formats::bf16>;
  static constexpr reach by = reach::stored;

  __device__ __forceinline__ static loaded load(const device_array& array, const device_layout*, int64_t i) {
    return loaded::load(array.data + i * int64_t(sizeof(uint16_t)));
  }
  __device__ __forceinline__ static loaded load_some(const device_array& array, int64_t i, int there) {
    loaded bits = {};
    GS_UNROLL
    for (int k = 0; k < numbers; ++k)
      if (k < there) bits.x[k] = pack<uint16_t, 1>::load(array.data + (i + k) * 2).x[0];
    return bits;
  }
  __device__ __forceinline__ static values decode(const loaded& bits, dtype) {
    values x;
    GS_UNROLL
    for (int k = 0; k < numbers; ++k) x.x[k] = two::decode(bits.x[k]);
    return x;
  }
  __device__ __forceinline__ static void store(const device_array& array, const device_layout*, int64_t i,
                                               const values& x) {
    pack<uint32_t, numbers / 2> bits;
    GS_UNROLL
    for (int k = 0; k < numbers; k += 2) bits.x[k / 2] = two::encode_two(x.x[k], x.x[k + 1]);
    bits.store(array.data + i * int64_t(sizeof(uint16_t)));
  }
  __device__ __forceinline__ static void store_some(const device_array& array, int64_t i, int there,
                                                    const values& x) {
    GS_UNROLL
    for (int k = 0; k < numbers; ++k)
      if (k < there) pack<uint16_t, 1>{formats::bf16::encode(x.x[k])}.store(array.data + (i + k) * 2);
  }
};

template <class Access, int threads, int blocks, int part>
void add(variants& to, const plan& on, const char* name, const shares& reached) {
  to.push_back({std::string(name) + ", " + numbers_in_words(threads, blocks, part), on.update_bytes(),
                predict(on.update_bytes(), reached, {2, 6}), launch_update_by<Access, threads, blocks, part>,
                update_as_it_is});
}

template <class Access, int threads, int blocks>
void add_parts(variants& to, const plan& on, const char* name, const shares& reached) {
  add<Access, threads, blocks, 1024>(to, on, name, reached);
  add<Access, threads, blocks, 2048>(to, on, name, reached);
  add<Access, threads, blocks, 4096>(to, on, name, reached);
  add<Access, threads, blocks, 8192>(to, on, name, reached);
}

}  // namespace

void add_updates(variants& to, const plan& on) {
  if (on.of().type == dtype::f32) {
    using native = native_access<float, 4>;
    add_parts<native, 256, 2>(to, on, "native", f32_update);
    add_parts<native, 256, 3>(to, on, "native", f32_update);
    add_parts<native, 128, 5>(to, on, "native", f32_update);
    add_parts<native, 128, 6>(to, on, "native", f32_update);
    return;
  }
  add_parts<stored_access<4>, 256, 3>(to, on, "packs of 4", bf16_update);
  add_parts<stored_access<4>, 128, 5>(to, on, "packs of 4", bf16_update);
  add_parts<stored_access<4>, 128, 6>(to, on, "packs of 4", bf16_update);
  add_parts<stored_access<4>, 128, 7>(to, on, "packs of 4", bf16_update);
  add_parts<stored_access<8>, 256, 2>(to, on, "packs of 8", bf16_update);
  add_parts<stored_access<8>, 128, 4>(to, on, "packs of 8", bf16_update);
  add_parts<bf16_access<8>, 256, 3>(to, on, "bf16 alone", bf16_alone);
  add_parts<bf16_access<8>, 256, 4>(to, on, "bf16 alone", bf16_alone);
  add_parts<bf16_access<4>, 256, 4>(to, on, "bf16 alone by 4", bf16_alone);
}

}  // namespace gradstep::GS_TARGET::tune
