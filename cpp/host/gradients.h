// What must be known of all gradients before the first write.
#pragma once

#include <cmath>

#include "host/chunks.h"

namespace gradstep {

// Reads them once, for the squares and the count of what is not finite, of the gradients times `unscale`.
sums measure_gradients(const chunk_list& chunks, double unscale);

// The factor for gradients that are finite and whose squares are not, as those of float64 above 1e154: they
// are read once more then. Others, whose squares become 0, add nothing that a norm would show.
constexpr double against_overflow = 0x1p-600;

// The norm of gradients, `measure(by)` being the sums of these times `by`.
template <class Measure>
double norm_by(const Measure& measure) {
  const sums all = measure(1);
  if (!std::isinf(all.gradient) || all.nonfinite > 0) return std::sqrt(all.gradient);
  return std::sqrt(measure(against_overflow).gradient) / against_overflow;
}

}  // namespace gradstep
