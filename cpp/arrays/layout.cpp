#include "arrays/layout.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

namespace gradstep {

visiting_order index_order(const array_view& array, int first) {
  visiting_order order;
  for (int d = first; d < array.ndim; ++d)
    if (array.dimensions[d].size != 1) order.push_back(d);
  return order;
}

visiting_order memory_order(const array_view& parameter, int first) {
  visiting_order order = index_order(parameter, first);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return std::abs(parameter.dimensions[a].stride) > std::abs(parameter.dimensions[b].stride);
  });
  return order;
}

namespace {

std::vector<dimension> merge_runs(const array_view& view, const visiting_order& order) {
  std::vector<dimension> merged;
  for (const int d : order) {
    const dimension next = view.dimensions[d];
    if (!merged.empty() && merged.back().stride == next.size * next.stride)
      merged.back() = {merged.back().size * next.size, next.stride};  // the two are one run
    else
      merged.push_back(next);
  }
  return merged;
}

}  // namespace

operand::operand(const array_view& view, const visiting_order& order)
    : data(view.data), type(view.type), dimensions(merge_runs(view, order)) {
  direct = dimensions.empty() || (dimensions.size() == 1 && dimensions[0].stride == format_of(type).bytes);
}

operand::operand(const array_view& view, int row_dimensions, const visiting_order& order,
                 const row_list* rows_visited)
    : operand(view, order) {
  direct = false;
  rows = rows_visited;
  visiting_order counted(static_cast<size_t>(row_dimensions));
  std::iota(counted.begin(), counted.end(), 0);
  leading = merge_runs(view, counted);
  row_elements = 1;
  for (const dimension& each : dimensions) row_elements *= each.size;
}

namespace {

char* row_address(const operand& x, int64_t number) {
  char* address = x.data;
  for (auto d = x.leading.rbegin(); d != x.leading.rend(); ++d) {
    address += number % d->size * d->stride;
    number /= d->size;
  }
  return address;
}

// Calls visit(address, run, stride) for each run of the innermost dimension within [first, first + count).
template <class Visit>
void for_each_run(char* address, const std::vector<dimension>& dims, int64_t first, int64_t count,
                  const Visit& visit) {
  const int inner = int(dims.size()) - 1;
  if (inner < 0) return visit(address, int64_t(1), int64_t(0));  // a single element
  if (inner == 0) return visit(address + first * dims[0].stride, count, dims[0].stride);
  int64_t index[dimension_limit + 1];  // on the stack: a step has begun to write, and may not fail
  for (int d = inner; d >= 0; --d) {
    index[d] = first % dims[d].size;
    first /= dims[d].size;
    address += index[d] * dims[d].stride;
  }
  while (count > 0) {
    const int64_t run = std::min(count, dims[inner].size - index[inner]);
    visit(address, run, dims[inner].stride);
    count -= run;
    index[inner] += run;
    address += run * dims[inner].stride;
    for (int d = inner; d > 0 && index[d] == dims[d].size; --d) {
      address += dims[d - 1].stride - index[d] * dims[d].stride;
      index[d] = 0;
      ++index[d - 1];
    }
  }
}

template <class Visit>
void for_each_run(const operand& x, int64_t first, int64_t count, const Visit& visit) {
  if (!x.rows) return for_each_run(x.data, x.dimensions, first, count, visit);
  for_each_row(x, first, count, [&](int64_t row, int64_t within, int64_t run) {
    for_each_run(row_address(x, x.rows->numbers[size_t(row)]), x.dimensions, within, run, visit);
  });
}

template <int bytes>
void gather_elements(const operand& from, int64_t first, int64_t count, char* to) {
  for_each_run(from, first, count, [&](const char* address, int64_t run, int64_t stride) {
    if (stride == bytes) {
      std::memcpy(to, address, size_t(run) * bytes);
      to += run * bytes;
      return;
    }
    for (int64_t i = 0; i < run; ++i, to += bytes, address += stride) std::memcpy(to, address, bytes);
  });
}

template <int bytes>
void scatter_elements(const char* from, const operand& to, int64_t first, int64_t count) {
  for_each_run(to, first, count, [&](char* address, int64_t run, int64_t stride) {
    if (stride == bytes) {
      std::memcpy(address, from, size_t(run) * bytes);
      from += run * bytes;
      return;
    }
    for (int64_t i = 0; i < run; ++i, from += bytes, address += stride) std::memcpy(address, from, bytes);
  });
}

}  // namespace

void gather(const operand& from, int64_t first, int64_t count, void* to) {
  char* const out = static_cast<char*>(to);
  switch (format_of(from.type).bytes) {
    case 8:
      return gather_elements<8>(from, first, count, out);
    case 4:
      return gather_elements<4>(from, first, count, out);
    default:
      return gather_elements<2>(from, first, count, out);
  }
}

int64_t transposed_columns(const operand& x) {
  constexpr int64_t far = 64;  // in another cache line
  if (x.direct || x.rows || x.dimensions.size() < 2) return 0;
  const dimension& row = x.dimensions.back();
  const dimension& column = x.dimensions[x.dimensions.size() - 2];
  return column.stride == format_of(x.type).bytes && std::abs(row.stride) >= far ? row.size : 0;
}

namespace {

template <int bytes>
int64_t gather_rows(const operand& from, int64_t first, int64_t rows, int64_t columns, char* to) {
  constexpr int64_t ahead = 16;  // columns whose lines are on their way
  const dimension& row = from.dimensions.back();
  const dimension& column = from.dimensions[from.dimensions.size() - 2];
  rows = std::min(rows, column.size - first / row.size % column.size);
  for_each_run(from, first, 1, [&](const char* address, int64_t, int64_t) {
    for (int64_t c = 0; c < columns; ++c, address += row.stride) {
      __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(address) +
                                                       uintptr_t(ahead * row.stride)));
      for (int64_t r = 0; r < rows; ++r)
        std::memcpy(to + (r * columns + c) * bytes, address + r * bytes, bytes);
    }
  });
  return rows;
}

}  // namespace

int64_t gather_rows(const operand& from, int64_t first, int64_t rows, int64_t columns, void* to) {
  char* const out = static_cast<char*>(to);
  switch (format_of(from.type).bytes) {
    case 8:
      return gather_rows<8>(from, first, rows, columns, out);
    case 4:
      return gather_rows<4>(from, first, rows, columns, out);
    default:
      return gather_rows<2>(from, first, rows, columns, out);
  }
}

void scatter(const void* from, const operand& to, int64_t first, int64_t count) {
  const char* const in = static_cast<const char*>(from);
  switch (format_of(to.type).bytes) {
    case 8:
      return scatter_elements<8>(in, to, first, count);
    case 4:
      return scatter_elements<4>(in, to, first, count);
    default:
      return scatter_elements<2>(in, to, first, count);
  }
}

}  // namespace gradstep
