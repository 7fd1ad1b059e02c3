// The part of a plan that measures: before the first write, and for its report.
#include <algorithm>
#include <cmath>

#include "gradients.h"
#include "plan.h"

namespace gradstep {

sums plan::total_of_group(int group) const {
  const auto [first, last] = std::equal_range(active_.groups.begin(), active_.groups.end(), group);
  std::vector<sums> tensors;
  for (auto each = first; each != last; ++each)
    tensors.push_back(total(*tasks_[size_t(each - active_.groups.begin())]));
  return add_pairwise(std::move(tensors));
}

void plan::measure(const step_settings& options) {
  const sums all = measure_gradients(chunks_, options.unscale);
  report_.nonfinite = all.nonfinite;
  report_.gradient_norm = std::sqrt(all.gradient);
}

std::vector<double> plan::shrinkage(const std::vector<group_settings>& groups,
                                    const step_settings& options) const {
  std::vector<double> shrink(groups.size(), 1);
  for (size_t group = 0; group < groups.size(); ++group) {
    const surroundings& around = groups[group].around;
    if (around.clip_norm == no_limit) continue;  // the norm may not be known
    double norm = around.clip_alone ? std::sqrt(total_of_group(int(group)).gradient) : report_.gradient_norm;
    if (options.known_norm >= 0) norm = options.known_norm;
    shrink[group] = around.shrink(norm);
  }
  return shrink;
}

void plan::take_report(const step_settings& options, const bookkeeping& books) {
  if (options.measure) {
    for (const int index : active_.indices)
      slots_[size_t(index)].released = total(slots_[size_t(index)].task);
    report_measured(chunks_.total());
  }
  if (options.joins) join_reports();
  books.write_norm(report_.gradient_norm);
}

void plan::report_measured(const sums& all) {
  report_.measured = true;
  report_.nonfinite = all.nonfinite;
  report_.gradient_norm = std::sqrt(all.gradient);
  report_.update_norm = std::sqrt(all.change);
  report_.parameter_norm = std::sqrt(all.parameter);
}

void plan::join_reports() {
  std::vector<sums> parts;
  for (slot& each : slots_) {
    if (each.released) parts.push_back(*each.released);
    each.released.reset();
  }
  report_ = {};
  if (!parts.empty()) report_measured(add_pairwise(std::move(parts)));
}

}  // namespace gradstep
