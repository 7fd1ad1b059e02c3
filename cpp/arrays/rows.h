// Which rows of an array a step visits, and where the values of each come from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradstep {

// Some rows of an array, by their numbers, in the order in which they are visited.
struct row_list {
  std::vector<int64_t> numbers;
  std::vector<int64_t> starts;  // where the numbers begin that are added up to one; empty where none are

  int64_t count() const { return int64_t(starts.empty() ? numbers.size() : starts.size() - 1); }
};

// The rows of a sparse gradient, each once and upwards, and where among the values given each of them comes.
struct row_order {
  row_list visited, given;
};

// Of the rows in the order in which their values are given; a row may come more than once.
row_order sort_rows(std::span<const int64_t> numbers);

}  // namespace gradstep
