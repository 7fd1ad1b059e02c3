#include "plan/lazy_rows.h"

namespace gradstep {

const row_history& lazy_rows::follow(int64_t row_count) {
  history_.applied.resize(size_t(row_count));
  return history_;
}

std::vector<int64_t> lazy_rows::behind(std::optional<std::span<const int64_t>> among) const {
  std::vector<int64_t> found;
  const auto take = [&](int64_t row) {
    if (history_.is_behind(row)) found.push_back(row);
  };
  if (among) {
    for (const int64_t row : *among) take(row);
  } else {
    for (int64_t row = 0; row < int64_t(history_.applied.size()); ++row) take(row);
  }
  return found;
}

void lazy_rows::reserve() {
  if (history_.steps.size() == history_.steps.capacity())
    history_.steps.reserve(2 * history_.steps.size() + 1);
}

void lazy_rows::record(const host_update& update) { history_.steps.push_back(update); }

void lazy_rows::note_applied(const row_list& visited) {
  for (const int64_t row : visited.numbers) history_.applied[size_t(row)] = int(history_.steps.size());
}

void lazy_rows::forget() {
  history_.steps.clear();
  history_.applied.assign(history_.applied.size(), 0);
}

}  // namespace gradstep
