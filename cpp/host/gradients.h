// Sums over all gradients, formed before the first write.
#pragma once

#include <cmath>

#include "host/chunks.h"

namespace gradstep {

// Reads them once and forms the sum of squares and the count of infinities and NaN, of the gradients times
// `unscale`.
sums sum_gradients(const chunk_list& chunks, double unscale);

// The factor for finite gradients whose squares overflow, such as those of float64 above 1e154: they are read
// once more with it. Gradients whose squares then become 0 are too small to change the norm.
constexpr double against_overflow = 0x1p-600;

// The norm of gradients, where `sum_of(by)` forms the sums of the gradients times `by`.
template <class Sum>
double norm_by(const Sum& sum_of) {
  const sums all = sum_of(1);
  if (!std::isinf(all.gradient) || all.nonfinite > 0) return std::sqrt(all.gradient);
  return std::sqrt(sum_of(against_overflow).gradient) / against_overflow;
}

}  // namespace gradstep
