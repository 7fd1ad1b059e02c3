// Sparse gradients: values for some rows of a parameter, in any order, a row as often as it comes.
#pragma once

#include <optional>
#include <span>

#include "python/read_array.h"

namespace gradstep {

// The row's number, for each, in an array of NumPy.
struct row_numbers {
  pybind11::object array;
};

// As their owner gives them.
struct sparse_gradient {
  int row_dimensions;  // leading dimensions of the parameter whose indices a row's number counts, as in C
  row_numbers numbers;
  pybind11::object values;  // an array of as many rows
};

// Nothing for what is no sparse gradient; raises for one that does not fit the parameter.
std::optional<sparse_gradient> find_rows(pybind11::handle gradient, const array_view& parameter,
                                         const array_role& role);

row_numbers read_row_numbers(pybind11::handle numbers);
std::span<const int64_t> numbers_of(const row_numbers& numbers);

}  // namespace gradstep
