#include "python/device.h"

#include "python/read_array.h"

namespace py = pybind11;

namespace gradstep {

const engine& engine_of(const py::capsule& capsule) {
  const void* const found = PyCapsule_GetPointer(capsule.ptr(), engine_capsule);
  if (!found) throw py::error_already_set();
  return *static_cast<const engine*>(found);
}

void* stream_of(const device_engine& on, py::handle array) {
  if (void* const stream = on->current_stream()) return stream;
  return current_stream(array, on.where());
}

}  // namespace gradstep
