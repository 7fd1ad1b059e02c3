// Sums whose bits do not depend on chunks, blocks or threads: a leaf is 4096 elements in visiting order,
// summed in 32 lanes that are folded by halves; leaves are added pairwise by index, and so are tensors.
#pragma once

#include <vector>

#include "cpu/target.h"
#include "sums.h"

namespace gradstep {

double fold_lanes(const double* lanes);

// The sums of one leaf on their way.
struct lane_sums {
  double gradient[sum_lanes] = {}, nonfinite[sum_lanes] = {}, change[sum_lanes] = {},
         parameter[sum_lanes] = {};

  sums fold() const;
};

// Adds pairwise by index, level by level; an odd one waits for the next level.
sums add_pairwise(std::vector<sums> parts);

}  // namespace gradstep
