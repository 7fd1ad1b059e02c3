// Sparse gradients: values for some rows of a parameter, in any order, a row as often as it comes.
#pragma once

#include <pybind11/numpy.h>

#include <optional>

#include "arrays/layout.h"
#include "python/read_array.h"

namespace gradstep {

// The row's number, for each; aligned.
using row_numbers = pybind11::array_t<int64_t, pybind11::array::c_style | aligned_array>;

// As their owner gives them.
struct sparse_gradient {
  int row_dimensions;  // leading dimensions of the parameter whose indices a row's number counts, as in C
  row_numbers numbers;
  pybind11::object values;  // an array of as many rows
};

// Nothing for what is no sparse gradient; raises for one that does not fit the parameter.
std::optional<sparse_gradient> find_rows(pybind11::handle gradient, const array_view& parameter,
                                         const array_role& role);

// Which rows a step visits, each once and upwards, and where among the values given each of them comes.
struct row_order {
  row_list visited, given;

  void sort(const row_numbers& numbers);
};

}  // namespace gradstep
