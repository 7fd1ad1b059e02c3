// A block of one operand's elements in its arithmetic type, small enough for L1.
#pragma once

#include <algorithm>

#include "arrays/layout.h"
#include "host/simd/target.h"
#include "numeric/prefetch.h"

namespace gradstep {

inline constexpr int64_t block_elements = 1024;  // parameter, gradient and states of one block fit in L1

struct alignas(64) buffer {
  char bytes[block_elements * 8];
};

inline constexpr buffer zeros = {};

// Of a transposed matrix a step visits as many rows together as lie in a cache line, and so many of their
// columns.
inline constexpr int64_t tile_columns = 256;

inline int64_t rows_of_tile(const operand& x) { return line_bytes / format_of(x.type).bytes; }

// The numbers of some rows and columns of a transposed matrix, read by whole cache lines.
class tile {
 public:
  // `count` numbers of one row; with them those of the rows that follow it are read, but none from `end` on,
  // which are another thread's.
  const char* read(const operand& x, int64_t first, int64_t count, int64_t end) {
    const int64_t columns = x.dimensions.back().size, row = (first - first_) / columns;
    if (count != count_ || first < first_ || row >= rows_ || first != first_ + row * columns) {
      const int64_t rows =
          std::min(rows_of_tile(x) - first / columns % rows_of_tile(x), (end - first - count) / columns + 1);
      rows_ = gather_rows(x, first, rows, count, bytes_);
      first_ = first;
      count_ = count;
      return bytes_;
    }
    return bytes_ + row * count * format_of(x.type).bytes;
  }

 private:
  int64_t first_ = 0, rows_ = 0, count_ = 0;
  alignas(64) char bytes_[tile_columns * line_bytes];
};

// Calls visit(first, count) for each block of [first, first + count).
template <class Visit>
void for_each_block(int64_t first, int64_t count, const Visit& visit) {
  for (const int64_t end = first + count; first < end; first += block_elements)
    visit(first, std::min(block_elements, end - first));
}

inline bool in_place(const operand& x, arithmetic type) { return x.direct && x.type == native_format(type); }

inline char* element(const operand& x, int64_t index) { return x.data + index * format_of(x.type).bytes; }

// A block starts at the beginning of a group.
inline planes planes_at(const operand& x, int64_t index) {
  const second_plane& second = format_of(x.type).second;
  return {element(x, index), x.second ? x.second + index / second.group * second.bytes : nullptr};
}

// One operand's block: either the user's memory itself or a decoded copy.
class block {
 public:
  // Of a transposed matrix, a run that ends before `end` may be visited by tiles.
  block(const target& on, const operand& x, arithmetic type, int64_t end = 0)
      : x_(x),
        storage_(on.storages[int(x.type)]),
        add_(on.sums[int(type)].add),
        type_(type),
        in_place_(in_place(x, type)),
        tiled_columns_(end > 0 ? transposed_columns(x) : 0),
        end_(end) {}

  void* read(int64_t first, int64_t count) {
    if (in_place_) return element(x_, first);
    if (x_.rows && !x_.rows->starts.empty()) {
      read_sums(first, count);
    } else {
      decode(first, count, decoded_.bytes);
    }
    return decoded_.bytes;
  }

  void write(int64_t first, int64_t count) {
    if (!in_place_) put(decoded_.bytes, first, count);
  }

  // Writes these numbers of the arithmetic type instead of the block's own.
  void put(const void* numbers, int64_t first, int64_t count) {
    const planes stored = x_.direct ? planes_at(x_, first) : planes{stored_.bytes, nullptr};
    storage_.encode[int(type_)](numbers, stored, count);
    if (!x_.direct) scatter(stored_.bytes, x_, first, count);
  }

  // Rounds numbers of the arithmetic type as if they had been written and read again.
  void round(void* numbers, int64_t count) {
    if (x_.type == native_format(type_) || x_.type == dtype::f64) return;
    storage_.encode[int(type_)](numbers, {stored_.bytes, nullptr}, count);
    storage_.decode[int(type_)]({stored_.bytes, nullptr}, numbers, count);
  }

 private:
  void decode(int64_t first, int64_t count, void* to) {
    planes stored = planes_at(x_, first);
    if (tiled_columns_ > 0 && count <= tile_columns && first % tiled_columns_ + count <= tiled_columns_) {
      stored = {const_cast<char*>(tile_.read(x_, first, count, end_)), nullptr};
    } else if (!x_.direct) {
      gather(x_, first, count, stored_.bytes);
      stored = {stored_.bytes, nullptr};
    }
    storage_.decode[int(type_)](stored, to, count);
  }

  // Adds up the values of one row, in their order.
  [[gnu::noinline]] void read_sums(int64_t first, int64_t count) {
    buffer term;
    char* sum = decoded_.bytes;
    for_each_row(x_, first, count, [&](int64_t row, int64_t within, int64_t run) {
      int64_t at = x_.rows->starts[size_t(row)];
      decode(at * x_.row_elements + within, run, sum);
      while (++at < x_.rows->starts[size_t(row) + 1]) {
        decode(at * x_.row_elements + within, run, term.bytes);
        add_(sum, term.bytes, run);
      }
      sum += run * (type_ == arithmetic::f64 ? 8 : 4);
    });
  }

  const operand& x_;
  const storage_entry& storage_;
  void (*add_)(void*, const void*, int64_t);
  arithmetic type_;
  bool in_place_;
  int64_t tiled_columns_, end_;
  buffer stored_, decoded_;
  tile tile_;
};

}  // namespace gradstep
