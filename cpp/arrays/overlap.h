// Finds the arrays that share memory: exactly, for strided arrays, in time that grows with their number and
// not with their sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "arrays/view.h"

namespace gradstep {

// An array as far as sharing goes. Its dimensions belong to somebody else and must outlive it.
struct touched_array {
  const char* data;
  dtype type;
  std::span<const dimension> dimensions;
  bool written;
  int mate = -1;  // arrays of one number may lie on one another element for element; -1 for none

  touched_array(const array_view& view, bool written, int mate = -1)
      : data(view.data),
        type(view.type),
        dimensions(view.dimensions, size_t(view.ndim)),
        written(written),
        mate(mate) {}
  touched_array(const char* data, dtype type, std::span<const dimension> dimensions, bool written,
                int mate = -1)
      : data(data), type(type), dimensions(dimensions), written(written), mate(mate) {}

  bool empty() const;
};

// The bytes from `low` up to `high` hold all of an array.
struct extent {
  uintptr_t low, high;

  bool meets(const extent& other) const { return low < other.high && other.low < high; }
};

extent extent_of(const touched_array& array);

// Two arrays, by their places in a list; twice the same for one that repeats its own elements.
struct sharing_pair {
  int first, second;
  bool unsure;  // the search for a shared element was given up
};

// The steps of a search through strides that no rule decides, for all arrays of a call together: some tenths
// of a second.
constexpr int64_t search_limit = int64_t(1) << 20;

// A pair that shares a byte, of arrays of which one is written and that are no mates that lie element for
// element on one another, or a written array that repeats an element; nothing if there is none.
std::optional<sharing_pair> find_sharing(std::span<const touched_array> arrays);

// Extents, joined where they meet, for quick questions.
class extent_set {
 public:
  extent_set() = default;
  explicit extent_set(std::vector<extent> extents);

  bool meets(const extent& other) const;

 private:
  std::vector<uintptr_t> lows_, highs_;
};

}  // namespace gradstep
