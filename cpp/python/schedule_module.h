// The part of the Python module that is about schedules.
#pragma once

#include <pybind11/pybind11.h>

namespace gradstep {

void bind_schedules(pybind11::module_& m);

}  // namespace gradstep
