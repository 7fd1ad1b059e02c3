// An array as its owner gives it: its place, type and shape. A view copies nothing and keeps nothing alive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "formats/list.h"
#include "step/scalar_ref.h"

namespace gradstep {

constexpr int dimension_limit = 64;

struct dimension {
  int64_t size, stride;  // stride in bytes

  bool operator==(const dimension&) const = default;
};

// The memory of an array, numbered as by DLPack.
struct device {
  int32_t type, id;

  bool operator==(const device&) const = default;
  std::string text() const;  // "cuda:0"
};
constexpr device host_memory = {1, 0};
constexpr int32_t cuda_device = 2;  // the type

struct array_view {
  char* data;
  dtype type;
  bool writable;
  device where;
  // Complex numbers are pairs of reals: `type` is that of the reals, and the last dimension counts the two.
  bool complex = false;
  int ndim;
  dimension dimensions[dimension_limit + 1];

  int64_t size() const;  // of a complex array: two for each number
  bool same_shape_as(const array_view& other) const;
  bool same_place_as(const array_view& other) const;  // the dimensions, not the data
  // Appends the dimension of the two reals, once `type` and the dimensions are those of a complex array.
  void see_as_pairs();
  // Sets the format that matches; false if there is none.
  template <class Suits>
  bool take_format(const Suits& suits) {
    for (int i = 0; i < dtype_count; ++i)
      if (suits(all_formats[i])) {
        type = dtype(i);
        return true;
      }
    return false;
  }
};

// The role of an array in a step, for messages: "the gradient of parameter" and 3, or no number if there is
// only one; and the memory that it must be in.
struct array_role {
  const char* what;
  int index = -1;
  device where = host_memory;

  std::string text() const { return index < 0 ? what : std::string(what) + " " + std::to_string(index); }
};

// The scalar of an array of one float32 or float64 number; nothing for any other.
std::optional<scalar_ref> scalar_of(const array_view& number);

}  // namespace gradstep
