#include "mirror.h"

#include <pybind11/pybind11.h>

#include "array.h"

namespace py = pybind11;

namespace gradstep {

mirror read_mirror(const array_view& number, const std::string& what) {
  if (number.size() != 1 || !number.writable || (number.type != dtype::f32 && number.type != dtype::f64))
    throw py::value_error(what + " must be a writable array of one float32 or float64 number");
  return {number.data, number.type};
}

}  // namespace gradstep
