// The part of a plan that measures: before the first write, and for its report.
#include <algorithm>
#include <cmath>

#include "host/gradients.h"
#include "python/plan.h"

namespace gradstep {

double plan::norm_of_group(int group, double scale) const {
  const auto [first, last] = std::equal_range(active_.groups.begin(), active_.groups.end(), group);
  std::vector<sums> tensors;
  for (auto each = first; each != last; ++each)
    tensors.push_back(total(*tasks_[size_t(each - active_.groups.begin())]));
  return std::sqrt(add_pairwise(std::move(tensors)).gradient) / scale;
}

void plan::measure(const std::vector<group_settings>& groups, const step_settings& options) {
  report_gradients(measure_gradients(chunks_, options.unscale));
  group_norms_.assign(groups.size(), 0);
  const auto norms_of_groups = [&](double scale) {
    for (size_t i = 0; i < groups.size(); ++i)
      if (groups[i].around.clip_alone && (scale == 1 || std::isinf(group_norms_[i])))
        group_norms_[i] = norm_of_group(int(i), scale);
  };
  norms_of_groups(1);
  if (!std::isinf(report_.gradient_norm) || report_.nonfinite > 0) return;
  const sums scaled = measure_gradients(chunks_, options.unscale * against_overflow);
  report_.gradient_norm = std::sqrt(scaled.gradient) / against_overflow;
  norms_of_groups(against_overflow);
}

std::vector<double> plan::shrinkage(const std::vector<group_settings>& groups,
                                    const step_settings& options) const {
  std::vector<double> shrink(groups.size(), 1);
  for (size_t group = 0; group < groups.size(); ++group) {
    const surroundings& around = groups[group].around;
    if (around.clip_norm == no_limit) continue;  // the norm may not be known
    double norm = around.clip_alone ? group_norms_[group] : report_.gradient_norm;
    if (options.known_norm >= 0) norm = options.known_norm;
    shrink[group] = around.shrink(norm);
  }
  return shrink;
}

void plan::take_report(const step_settings& options, const bookkeeping& books, bool measured) {
  if (options.measure) {
    for (const int index : active_.indices)
      slots_[size_t(index)].released = total(slots_[size_t(index)].task);
    const sums all = chunks_.total();
    if (!measured) report_gradients(all);
    report_change(all);
  }
  if (options.joins) join_reports();
  books.write_norm(report_.gradient_norm);
}

void plan::report_gradients(const sums& all) {
  report_.nonfinite = all.nonfinite;
  report_.gradient_norm = std::sqrt(all.gradient);
}

void plan::report_change(const sums& all) {
  report_.measured = true;
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
  if (parts.empty()) return;
  const sums all = add_pairwise(std::move(parts));
  report_gradients(all);
  report_change(all);
}

}  // namespace gradstep
