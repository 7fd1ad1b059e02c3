#include "plan/rule_reductions.h"

#include <algorithm>

#include "host/simd/dispatch.h"

namespace gradstep {

namespace {

// The sources of the rate and of the rule's own numbers.
std::vector<number_source> sources_of_rule(const group_settings& group) {
  std::vector<number_source> found;
  const int last = place_of_number(rule_of(group), "lr");
  for (const number_source& each : group.sources())
    if (each.number <= last) found.push_back(each);
  return found;
}

void take(tensor& into, const sums& found) { std::copy(found.rule, found.rule + 2, into.reductions); }

}  // namespace

const rule_entry& rule_of(const group_settings& group) { return active_target().rules[group.rule]; }

bool needs_gradient_norm(const std::vector<group_settings>& groups, const step_settings& options) {
  const auto clips = [](const group_settings& group) { return group.options.clip_norm != no_limit; };
  return options.skip_nonfinite ||
         (options.known_norm < 0 && std::any_of(groups.begin(), groups.end(), clips));
}

bool has_rule_reductions(const std::vector<group_settings>& groups) {
  return std::any_of(groups.begin(), groups.end(),
                     [](const auto& group) { return rule_of(group).bodies[0].measure; });
}

bool has_matrix_reductions(const std::vector<group_settings>& groups) {
  return std::any_of(groups.begin(), groups.end(),
                     [](const auto& group) { return rule_of(group).form && rule_of(group).form->reduces; });
}

bool has_whole_directions(const std::vector<group_settings>& groups) {
  return std::any_of(groups.begin(), groups.end(), [](const auto& group) {
    return rule_of(group).form && rule_of(group).form->transforms_direction;
  });
}

const group_settings* find_unlike_group(const std::vector<group_settings>& groups) {
  const auto is_like_first = [&](const group_settings& group) {
    return group.lr == groups[0].lr && group.hypers == groups[0].hypers &&
           sources_of_rule(group) == sources_of_rule(groups[0]);
  };
  for (const group_settings& group : groups)
    if (rule_of(group).measures.over_all && !is_like_first(group)) return &group;
  return nullptr;
}

void reduce_for_rules(tensor_list& tensors, const chunk_list& chunks) {
  chunks.run([&](const chunk& each) {
    if (each.task->step->body->measure) measure_rule_run(active_target(), *each.task, each.first, each.count);
  });
  pairwise_sum totals;
  bool over_all = false;
  for (const int index : tensors.active.indices) {
    tensor& each = tensors[index];
    const sums found = total(each.layout.task);
    totals.add(found);
    take(each, found);
    over_all |= each.layout.task.step->measures.over_all;
  }
  if (!over_all) return;
  const sums all = totals.total();
  for (const int index : tensors.active.indices) take(tensors[index], all);
}

}  // namespace gradstep
