// Finds the arrays that share memory: exactly, for strided arrays, in time that grows with their number and
// not with their sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "arrays/view.h"

namespace gradstep {

// An array, for the search for shared memory. Its dimensions belong to the caller and must outlive it.
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

// A range of bytes, from `low` up to `high`, that contains an array.
struct extent {
  uintptr_t low, high;

  bool meets(const extent& other) const { return low < other.high && other.low < high; }
};

extent extent_of(const touched_array& array);

// Two arrays by their places in a list; the same place twice for an array that repeats its own elements.
struct sharing_pair {
  int first, second;
  bool unsure;  // the search for a shared element was given up
};

// The limit on the steps of the search where no rule decides, for all arrays of a call together: some tenths
// of a second.
constexpr int64_t search_limit = int64_t(1) << 20;

// Finds a pair of arrays that share a byte, of which one is written and which are not mates that coincide
// element for element; or a written array that repeats an element. Nothing if there is none.
std::optional<sharing_pair> find_sharing(std::span<const touched_array> arrays);

// Extents, joined where they touch, for fast queries.
class extent_set {
 public:
  extent_set() = default;
  explicit extent_set(std::vector<extent> extents);

  bool meets(const extent& other) const;

 private:
  std::vector<uintptr_t> lows_, highs_;
};

}  // namespace gradstep
