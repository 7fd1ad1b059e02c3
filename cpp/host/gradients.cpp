#include "host/gradients.h"

#include "host/simd/dispatch.h"

namespace gradstep {

sums measure_gradients(const chunk_list& chunks, double unscale) {
  const target& on = active_target();
  chunks.run([&](const chunk& each) { measure_run(on, *each.task, unscale, each.first, each.count); });
  return chunks.total();
}

}  // namespace gradstep
