#include "mirror.h"

#include <cstring>

namespace py = pybind11;

namespace gradstep {

double mirror::get() const {
  if (type == dtype::f64) {
    double value;
    std::memcpy(&value, data, sizeof value);
    return value;
  }
  float value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

void mirror::set(double value) const {
  if (type == dtype::f64) {
    std::memcpy(data, &value, sizeof value);
  } else {
    const float narrow = float(value);
    std::memcpy(data, &narrow, sizeof narrow);
  }
}

mirror read_mirror(const array_view& number, const std::string& what) {
  if (number.size() != 1 || !number.writable || (number.type != dtype::f32 && number.type != dtype::f64))
    throw py::value_error(what + " must be a writable array of one float32 or float64 number");
  return {number.data, number.type};
}

}  // namespace gradstep
