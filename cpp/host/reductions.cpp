#include "host/reductions.h"

namespace gradstep {

double fold_lanes(const double* lanes) {
  double left[sum_lanes];
  for (int i = 0; i < sum_lanes; ++i) left[i] = lanes[i];
  for (int half = sum_lanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) left[i] += left[i + half];
  return left[0];
}

void gradient_lanes::fold_into(sums& leaf) const {
  leaf.gradient = fold_lanes(squares);
  leaf.nonfinite = fold_lanes(nonfinite);
}

void change_lanes::fold_into(sums& leaf) const {
  leaf.change = fold_lanes(change);
  leaf.parameter = fold_lanes(parameter);
}

sums add_pairwise(std::vector<sums> parts) {
  for (std::size_t count = parts.size(); count > 1; count = (count + 1) / 2) {
    for (std::size_t i = 0; i < count / 2; ++i) parts[i] = parts[2 * i] + parts[2 * i + 1];
    if (count % 2) parts[count / 2] = parts[count - 1];
  }
  return parts.empty() ? sums{} : parts[0];
}

}  // namespace gradstep
