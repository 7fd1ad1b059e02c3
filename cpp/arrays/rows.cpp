#include "arrays/rows.h"

#include <algorithm>
#include <utility>

namespace gradstep {

row_order sort_rows(std::span<const int64_t> numbers) {
  std::vector<std::pair<int64_t, int64_t>> placed;  // a row and where it comes: pairs differ, so one order
  placed.reserve(numbers.size());
  for (size_t at = 0; at < numbers.size(); ++at) placed.emplace_back(numbers[at], int64_t(at));
  if (!std::is_sorted(placed.begin(), placed.end())) std::sort(placed.begin(), placed.end());
  row_order made;
  for (const auto& [number, at] : placed) {
    if (made.visited.numbers.empty() || made.visited.numbers.back() != number) {
      made.visited.numbers.push_back(number);
      made.given.starts.push_back(int64_t(made.given.numbers.size()));
    }
    made.given.numbers.push_back(at);
  }
  made.given.starts.push_back(int64_t(made.given.numbers.size()));
  if (made.given.numbers.size() == made.visited.numbers.size()) made.given.starts.clear();
  return made;
}

}  // namespace gradstep
