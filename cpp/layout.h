// How the elements of arrays lie in memory, and the order in which a step visits them: the parameter's own
// memory order, so that whatever lies as the parameter does is one straight run.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "array.h"

namespace gradstep {

// The dimensions of a parameter from the slowest to the fastest in memory, without those of size one.
using visiting_order = std::vector<int>;

visiting_order memory_order(const array_view& parameter);

// One array of a step, ready to be visited.
struct operand {
  char* data = nullptr;
  dtype type = dtype::f32;
  bool direct = true;                 // element i lies at data + i * bytes
  std::vector<dimension> dimensions;  // where it does not: slowest first

  operand() = default;
  operand(const array_view& view, const visiting_order& order);
};

// Copies `count` elements, from the `first` in visiting order on, between an operand and a straight buffer.
void gather(const operand& from, int64_t first, int64_t count, void* to);
void scatter(const void* from, const operand& to, int64_t first, int64_t count);

// Two of the arrays that share an element (an array that repeats its own is named twice), or {-1, -1}.
std::pair<int, int> find_overlap(const std::vector<array_view>& arrays);

}  // namespace gradstep
