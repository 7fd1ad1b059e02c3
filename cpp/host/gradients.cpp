#include "host/gradients.h"

#include "host/simd/dispatch.h"

namespace gradstep {

sums sum_gradients(const chunk_list& chunks, double unscale) {
  const target& on = active_target();
  chunks.run([&](const chunk& each) { sum_gradient_run(on, *each.task, unscale, each.first, each.count); });
  return chunks.total();
}

}  // namespace gradstep
