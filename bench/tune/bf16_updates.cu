// Arrays of bf16 by a way of their own: conversions, packs in flight, blocks per processor, chunk.
#include "predictions.h"
#include "update_way.cuh"

namespace gradstep::GS_TARGET::tune {

namespace {

template <class Conversion, int packs, int parts, int blocks>
void add(variants& to, const plan& on) {
  constexpr bool hardware = std::is_same_v<Conversion, by_hardware>;
  add_update_by<bf16_way<Conversion>, packs, parts, block_threads, blocks>(
      to, on, hardware ? "bf16 by hardware" : "bf16 by integers",
      predict(on.update_bytes(), hardware ? bf16_by_hardware : bf16_by_integers, tail(parts)));
}

}  // namespace

void add_bf16_updates(variants& to, const plan& on) {
  add<by_integers, 1, 1, 2>(to, on);
  add<by_integers, 2, 1, 2>(to, on);
  add<by_integers, 1, 4, 3>(to, on);
  add<by_hardware, 1, 1, 2>(to, on);
  add<by_hardware, 2, 1, 2>(to, on);
  add<by_hardware, 1, 4, 2>(to, on);
  add<by_hardware, 2, 4, 2>(to, on);
  add<by_hardware, 1, 4, 3>(to, on);
  add<by_hardware, 1, 4, 4>(to, on);
}

}  // namespace gradstep::GS_TARGET::tune
