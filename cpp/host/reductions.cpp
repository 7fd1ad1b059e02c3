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

void pairwise_sum::add(const sums& part) {
  waiting_[depth_++] = part;
  for (int64_t parts = ++count_; parts % 2 == 0; parts /= 2) {
    --depth_;
    waiting_[depth_ - 1] = waiting_[depth_ - 1] + waiting_[depth_];
  }
}

sums pairwise_sum::total() const {
  if (depth_ == 0) return {};
  sums all = waiting_[depth_ - 1];
  for (int i = depth_ - 1; i-- > 0;) all = waiting_[i] + all;
  return all;
}

sums add_pairwise(std::span<const sums> parts) {
  pairwise_sum all;
  for (const sums& each : parts) all.add(each);
  return all.total();
}

}  // namespace gradstep
