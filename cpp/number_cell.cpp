#include "number_cell.h"

#include <pybind11/pybind11.h>

#include "array.h"

namespace py = pybind11;

namespace gradstep {

std::optional<number_cell> cell_of(const array_view& number) {
  if (number.size() != 1 || (number.type != dtype::f32 && number.type != dtype::f64)) return std::nullopt;
  return number_cell{number.data, number.type};
}

number_cell read_cell(const array_view& number, const std::string& what) {
  const std::optional<number_cell> cell = cell_of(number);
  if (!cell || !number.writable)
    throw py::value_error(what + " must be a writable array of one float32 or float64 number");
  return *cell;
}

}  // namespace gradstep
