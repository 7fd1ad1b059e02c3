#include "plan/tensor.h"

#include <algorithm>

namespace gradstep {

void tensor_list::start_step() {
  active.clear();
  tasks.clear();
}

void tensor_list::activate(int index, int group) {
  tensor& each = (*this)[index];
  active.add(index, group, each.moved_at);
  tasks.push_back(&each.layout.task);
}

void tensor_list::invalidate(tensor& which) {
  moved = true;
  which.moved_at = ++moves_;
}

std::vector<int> tensor_list::zeroed(const std::vector<group_settings>& groups) const {
  std::vector<int> found;
  const auto zeroes = [](const group_settings& group) { return group.options.zero_grad; };
  if (std::none_of(groups.begin(), groups.end(), zeroes)) return found;
  for (size_t i = 0; i < active.indices.size(); ++i)
    if (groups[size_t(active.groups[i])].options.zero_grad) found.push_back(active.indices[i]);
  return found;
}

void tensor_list::commit_layout() {
  if (!changed()) return;
  moved = false;
  committed = active.indices;
}

}  // namespace gradstep
