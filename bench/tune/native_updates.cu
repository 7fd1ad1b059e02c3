// The native way apart from the others: blocks per processor, chunk, packs in flight, threads.
#include "predictions.h"
#include "update_way.cuh"

namespace gradstep::GS_TARGET::tune {

namespace {

// Of the copy's speed, by the packs that a processor has in flight and the slack that leaves.
constexpr shares reached(int packs_in_flight) {
  if (packs_in_flight <= 2) return {{0.90, 0.98}, {0.82, 0.95}};
  return packs_in_flight <= 4 ? f32_as_it_is : f32_one_way;
}

template <int packs, int parts, int blocks, int threads = block_threads>
void add(variants& to, const plan& on) {
  const int in_flight = packs * blocks * threads / block_threads;
  add_update_by<native_way, packs, parts, threads, blocks>(
      to, on, "native", predict(on.update_bytes(), reached(in_flight), tail(parts)));
}

// With two, three and four blocks per processor.
template <int packs, int parts>
void add_by_blocks(variants& to, const plan& on) {
  add<packs, parts, 2>(to, on);
  add<packs, parts, 3>(to, on);
  add<packs, parts, 4>(to, on);
}

}  // namespace

void add_native_updates(variants& to, const plan& on) {
  add_by_blocks<2, 1>(to, on);
  add_by_blocks<2, 2>(to, on);
  add_by_blocks<2, 4>(to, on);
  add<1, 1, 4>(to, on);
  add_by_blocks<1, 4>(to, on);
  add<2, 1, 1, 512>(to, on);
  add<2, 1, 2, 512>(to, on);
  add<2, 4, 2, 512>(to, on);
}

}  // namespace gradstep::GS_TARGET::tune
