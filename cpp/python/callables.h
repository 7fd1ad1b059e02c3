// The functions of Python that the core calls, handed to it once when gradstep is imported.
#pragma once

#include <pybind11/cast.h>

namespace gradstep {

struct callables {
  pybind11::object meet_type;       // (type) -> bool: whether its methods run no code of Python
  pybind11::object describe;        // (array, role) -> where and how it lies, with an owner; raises
  pybind11::object read_rows;       // (gradient, shape, role) -> None, or its rows
  pybind11::object current_stream;  // (array, device's number) -> address
  pybind11::object empty_caches;    // () -> None: those of the arrays' libraries, on devices
};

const callables& python();

// Never freed: threads may outlive the interpreter's end.
void hand(callables given);

}  // namespace gradstep
