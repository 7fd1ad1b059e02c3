// A tensor seen as matrices: its last two dimensions are rows and columns, and those before count the
// matrices, as in torch's Adafactor. This is for rules whose states have a number per row, column, matrix or
// tensor, and for those whose direction is needed whole.
#pragma once

#include <cstdint>

#include "numeric/portable.h"
#include "step/constants.h"

namespace gradstep {

enum class state_shape : int32_t { like_parameter, per_row, per_column, per_matrix, per_tensor };
constexpr const char* state_shape_names[] = {"parameter", "row", "column", "matrix", "tensor"};

// How a rule sees a tensor as a matrix.
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

// Sums over columns are formed over bands of `band_rows` rows of one matrix, and the bands are added from the
// first to the last, so that the bits depend on the tensor alone.
constexpr int64_t band_rows = 64;

struct matrix_sizes {
  int64_t matrices, rows, columns;  // rows of each

  GS_HD int64_t all_rows() const { return matrices * rows; }
  GS_HD int64_t bands() const { return (rows + band_rows - 1) / band_rows; }  // of each

  // The rows of a band, counted over all matrices.
  GS_HD int64_t first_row(int64_t band) const { return band / bands() * rows + band % bands() * band_rows; }
  GS_HD int64_t last_row(int64_t band) const {
    const int64_t end = (band / bands() + 1) * rows, last = first_row(band) + band_rows;
    return last < end ? last : end;
  }

  // The count of numbers of a state of this shape.
  GS_HD int64_t numbers(state_shape shape) const {
    switch (shape) {
      case state_shape::per_row:
        return all_rows();
      case state_shape::per_column:
        return matrices * columns;
      case state_shape::per_matrix:
        return matrices;
      case state_shape::per_tensor:
        return 1;
      default:
        return all_rows() * columns;
    }
  }
};

}  // namespace gradstep
