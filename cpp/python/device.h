// Devices as Python hands them over: an engine's capsule, and the streams that libraries of arrays work on.
#pragma once

#include <pybind11/cast.h>

#include "device/engine.h"

namespace gradstep {

// Of an engine's capsule; raises for anything else.
const engine& engine_of(const pybind11::capsule& capsule);

// The stream that the array's library works on now, on the engine's device.
void* stream_of(const device_engine& on, pybind11::handle array);

}  // namespace gradstep
