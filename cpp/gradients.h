// What must be known of all gradients before the first write.
#pragma once

#include "chunks.h"

namespace gradstep {

// Reads them once, for the squares and the count of what is not finite, of the gradients times `unscale`.
sums measure_gradients(const chunk_list& chunks, double unscale);

}  // namespace gradstep
