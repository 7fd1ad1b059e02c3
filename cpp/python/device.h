// Devices in Python's form: an engine's capsule, and the streams that array libraries work on.
#pragma once

#include <pybind11/cast.h>

#include "device/engine.h"

namespace gradstep {

// Of an engine's capsule; raises for anything else.
const engine& engine_of(const pybind11::capsule& capsule);

// The current stream of the array's library, on the engine's device.
void* stream_of(const device_engine& on, pybind11::handle array);

}  // namespace gradstep
