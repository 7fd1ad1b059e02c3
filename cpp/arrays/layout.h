// The layout of an array's elements in memory, and the order in which a step visits them. That is the
// parameter's own memory order, so that an array with the parameter's layout is one contiguous run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "arrays/rows.h"
#include "arrays/view.h"

namespace gradstep {

// The dimensions of a parameter from the slowest to the fastest in memory, without those of size one.
using visiting_order = std::vector<int>;

// From dimension `first` on.
visiting_order memory_order(const array_view& parameter, int first = 0);
// The same dimensions in the order of their indices.
visiting_order index_order(const array_view& array, int first = 0);

// One array of a step, ready to be visited.
struct operand {
  char* data = nullptr;
  char* second = nullptr;  // the second plane of a format that has two; then the array is direct
  dtype type = dtype::f32;
  bool direct = true;                 // element i lies at data + i * bytes
  std::vector<dimension> dimensions;  // where it does not: slowest first
  const row_list* rows = nullptr;     // where not all is visited; then the dimensions are those of a row,
  std::vector<dimension> leading;     // and these count the rows, slowest first
  int64_t row_elements = 0;

  operand() = default;
  operand(const array_view& view, const visiting_order& order);

  // Visits only these rows, in the order given. A row is the part of an array at one index of its first
  // `row_dimensions` dimensions.
  operand(const array_view& view, int row_dimensions, const visiting_order& order, const row_list* rows);
};

// Calls visit(row, first, count) for the part of each row within [first, first + count).
template <class Visit>
void for_each_row(const operand& x, int64_t first, int64_t count, const Visit& visit) {
  while (count > 0) {
    const int64_t within = first % x.row_elements, run = std::min(count, x.row_elements - within);
    visit(first / x.row_elements, within, run);
    first += run;
    count -= run;
  }
}

// How many elements a row has, in the order of visits, where its neighbours in memory are rows away: of a
// transposed matrix, where each element of a row lies in another cache line. 0 elsewhere.
int64_t transposed_columns(const operand& x);

// Copies the rows, from the one that `first` lies in on, of a transposed matrix: `columns` of each, one row
// after the other. Takes less than `rows` where the matrix ends; says how many.
int64_t gather_rows(const operand& from, int64_t first, int64_t rows, int64_t columns, void* to);

// Copies `count` elements, starting at `first` in visiting order, between an operand and a contiguous buffer.
void gather(const operand& from, int64_t first, int64_t count, void* to);
void scatter(const void* from, const operand& to, int64_t first, int64_t count);

}  // namespace gradstep
