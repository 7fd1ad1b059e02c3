// A device's module gives Python its engine, in a capsule that the core opens.
#pragma once

#include <pybind11/pybind11.h>

#include "device/engine_api.h"

namespace gradstep::GS_TARGET {

const engine& this_engine();

inline void add_engine(pybind11::module_& m) {
  m.attr("engine") = pybind11::capsule(&this_engine(), engine_capsule);
}

}  // namespace gradstep::GS_TARGET
