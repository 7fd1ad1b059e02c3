// Sparse gradients: values for some rows of a parameter, in any order, a row as often as it comes.
#pragma once

#include <optional>

#include "python/numpy_array.h"
#include "python/read_array.h"

namespace gradstep {

// As their owner gives them.
struct sparse_gradient {
  int row_dimensions;     // leading dimensions of the parameter whose indices a row's number counts, as in C
  whole_numbers numbers;  // the row's, for each
  pybind11::object values;  // an array of as many rows
};

// Nothing for what is no sparse gradient; raises for one that does not fit the parameter.
std::optional<sparse_gradient> find_rows(pybind11::handle gradient, const array_view& parameter,
                                         const array_role& role);

}  // namespace gradstep
