#include "gradients.h"

#include "dispatch.h"

namespace gradstep {

sums measure_gradients(const chunk_list& chunks, double unscale) {
  const target& on = active_target();
  chunks.run([&](const chunk& each) { measure_run(on, *each.task, unscale, each.first, each.count); });
  return chunks.total();
}

double shrink_to(double limit, double norm) {
  const double by = limit / (norm + 1e-6);
  return by > 1 ? 1 : by;
}

}  // namespace gradstep
