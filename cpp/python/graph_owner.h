// Objects that a graph on a device keeps alive. Its replays read and write their memory, even if nothing else
// refers to them any more.
#pragma once

#include <pybind11/cast.h>

#include "device/engine.h"

namespace gradstep {

// The graph that is being captured of the stream keeps the object. The driver tells its end on a thread of
// its own, and the object is then dropped by the interpreter's main thread.
void keep_in_graph(const device_engine& on, void* stream, pybind11::object kept);

}  // namespace gradstep
