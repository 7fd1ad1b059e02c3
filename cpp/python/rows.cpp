#include "python/rows.h"

#include <utility>

#include "python/callables.h"

namespace py = pybind11;

namespace gradstep {

std::optional<sparse_gradient> find_rows(py::handle gradient, const array_view& parameter,
                                         const array_role& role) {
  const py::object found = python().read_rows(gradient, shape_of(parameter), role.text());
  if (found.is_none()) return std::nullopt;
  const py::tuple rows = found;
  return sparse_gradient{rows[0].cast<int>(), rows[1].cast<row_numbers>(), rows[2]};
}

void row_order::sort(const row_numbers& numbers) {
  std::vector<std::pair<int64_t, int64_t>> placed;  // a row and where it comes: pairs differ, so one order
  placed.reserve(size_t(numbers.size()));
  for (int64_t at = 0; at < numbers.size(); ++at) placed.emplace_back(numbers.at(at), at);
  if (!std::is_sorted(placed.begin(), placed.end())) std::sort(placed.begin(), placed.end());
  visited = given = {};
  for (const auto& [number, at] : placed) {
    if (visited.numbers.empty() || visited.numbers.back() != number) {
      visited.numbers.push_back(number);
      given.starts.push_back(int64_t(given.numbers.size()));
    }
    given.numbers.push_back(at);
  }
  given.starts.push_back(int64_t(given.numbers.size()));
  if (given.numbers.size() == visited.numbers.size()) given.starts.clear();
}

}  // namespace gradstep
