// Sums whose bits do not depend on chunks, blocks or threads: a leaf is 4096 elements in visiting order,
// summed in 32 lanes that are folded by halves; leaves are added pairwise by index, and so are tensors.
#pragma once

#include <algorithm>
#include <span>

#include "host/simd/target.h"
#include "step/sums.h"

namespace gradstep {

// Calls visit(leaf, first, end) for each leaf of [first, first + count).
template <class Visit>
void for_each_leaf(int64_t first, int64_t count, const Visit& visit) {
  for (const int64_t end = first + count; first < end; first += leaf_elements)
    visit(first / leaf_elements, first, std::min(first + leaf_elements, end));
}

double fold_lanes(const double* lanes);

// The partial sums of one leaf, lane by lane: of its gradient, and of the change that the step makes.
struct gradient_lanes {
  double squares[sum_lanes] = {}, nonfinite[sum_lanes] = {};

  void fold_into(sums& leaf) const;
};
struct change_lanes {
  double change[sum_lanes] = {}, parameter[sum_lanes] = {};

  void fold_into(sums& leaf) const;
};

// Adds parts pairwise by index, level by level; an odd one waits for the next level. It takes the parts one
// by one and allocates nothing, since some sums are formed after the first write of a step.
class pairwise_sum {
 public:
  void add(const sums& part);
  sums total() const;

 private:
  static constexpr int level_limit = 48;  // for 2^48 parts

  sums waiting_[level_limit];  // each of the sum of fewer parts than the one before
  int depth_ = 0;
  int64_t count_ = 0;
};

sums add_pairwise(std::span<const sums> parts);

}  // namespace gradstep
