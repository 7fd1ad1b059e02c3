// What must be known of all gradients before the first write.
#pragma once

#include <cmath>

#include "host/chunks.h"

namespace gradstep {

// Reads them once, for the squares and the count of what is not finite, of the gradients times `unscale`.
sums sum_gradients(const chunk_list& chunks, double unscale);

// The factor for gradients that are finite and whose squares are not, as those of float64 above 1e154: they
// are read once more then. Others, whose squares become 0, add nothing that a norm would show.
constexpr double against_overflow = 0x1p-600;

// The norm of gradients, `measure(by)` being the sums of these times `by`.
template <class Sum>
double norm_by(const Sum& sum_of) {
  const sums all = sum_of(1);
  if (!std::isinf(all.gradient) || all.nonfinite > 0) return std::sqrt(all.gradient);
  return std::sqrt(sum_of(against_overflow).gradient) / against_overflow;
}

}  // namespace gradstep
