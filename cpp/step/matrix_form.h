// A tensor seen as a matrix: a row is what the indices of all dimensions but the last leave, a column what
// the last one leaves. For rules whose states have a number per row, per column or per tensor, and for those
// whose direction is needed whole.
#pragma once

#include <cstdint>

#include "numeric/portable.h"
#include "step/constants.h"

namespace gradstep {

enum class state_shape : int32_t { like_parameter, per_row, per_column, per_tensor };
constexpr const char* state_shape_names[] = {"parameter", "row", "column", "tensor"};

// What of a tensor a rule sees as a matrix.
struct matrix_form {
  state_shape shapes[state_limit] = {};  // of its states
  bool reduces = false;                  // some of them are no longer like the parameter
  bool transforms_direction = false;     // its direction is needed whole

  bool has(state_shape shape) const {
    for (const state_shape each : shapes)
      if (each == shape) return true;
    return false;
  }
};

// Sums over columns are formed over bands of so many rows, which are then added from the first to the last,
// so that their bits depend on the matrix alone.
constexpr int64_t band_rows = 64;

GS_HD int64_t count_bands(int64_t rows) { return (rows + band_rows - 1) / band_rows; }

// Of a state of this shape.
GS_HD int64_t count_numbers(state_shape shape, int64_t rows, int64_t columns) {
  switch (shape) {
    case state_shape::per_row:
      return rows;
    case state_shape::per_column:
      return columns;
    case state_shape::per_tensor:
      return 1;
    default:
      return rows * columns;
  }
}

}  // namespace gradstep
