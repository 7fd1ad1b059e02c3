// What must be known of all gradients before the first write, and what follows from it.
#pragma once

#include "chunks.h"

namespace gradstep {

// Reads them once, for the squares and the count of what is not finite, of the gradients times `unscale`.
sums measure_gradients(const chunk_list& chunks, double unscale);

// min(1, limit / (norm + 1e-6)), as torch clips; NaN stays NaN.
double shrink_to(double limit, double norm);

}  // namespace gradstep
