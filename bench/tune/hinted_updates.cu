// The native way with hints for the caches.
#include "predictions.h"
#include "update_way.cuh"

namespace gradstep::GS_TARGET::tune {

namespace {

template <class Way, int parts, int blocks>
void add(variants& to, const plan& on, const char* name, range gained) {
  add_update_by<Way, 2, parts, block_threads, blocks>(
      to, on, name, gain(predict(on.update_bytes(), f32_one_way, tail(parts)), gained));
}

}  // namespace

void add_hinted_updates(variants& to, const plan& on) {
  add<streamed_gradient_way, 4, 2>(to, on, ".cs on g", {-0.01, 0.015});
  add<streamed_gradient_way, 4, 4>(to, on, ".cs on g", {-0.01, 0.015});
  add<streamed_way, 4, 2>(to, on, ".cs on all", {-0.01, 0.03});
  add<streamed_way, 4, 4>(to, on, ".cs on all", {-0.01, 0.03});
}

}  // namespace gradstep::GS_TARGET::tune
