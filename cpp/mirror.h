// A 0-d array of the user's that holds a number of ours.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "array.h"

namespace gradstep {

// The array is what counts, so that a saved state is the whole state.
struct mirror {
  char* data;
  dtype type;

  double get() const;
  void set(double value) const;
};

// Raises for an array that is not one float32 or float64 number to be written; `what` names it.
mirror read_mirror(const array_view& number, const std::string& what);

}  // namespace gradstep
