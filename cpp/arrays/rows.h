// The rows of an array that a step visits, and the places of their values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradstep {

// Some rows of an array by their numbers, in visiting order.
struct row_list {
  std::vector<int64_t> numbers;
  std::vector<int64_t> starts;  // where the numbers begin that are added up to one; empty where none are

  int64_t count() const { return int64_t(starts.empty() ? numbers.size() : starts.size() - 1); }
};

// The rows of a sparse gradient: each once, in ascending order, with the places of its values among those
// given.
struct row_order {
  row_list visited, given;
};

// Sorts the rows, which are given in the order of their values; a row may occur more than once.
row_order sort_rows(std::span<const int64_t> numbers);

}  // namespace gradstep
