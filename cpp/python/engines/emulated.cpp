// gradstep._emulated: the engine of the emulated device, and the functions that only tests call.
#include "python/engines/module.h"

#include "cuda/emulation/runtime.h"

namespace py = pybind11;
using namespace gradstep;

PYBIND11_MODULE(_emulated, m) {
  emulated::add_engine(m);
  py::class_<emulation::graph>(m, "Graph").def("replay", [](const emulation::graph& steps) {
    for (const auto& step : steps) step();
  });
  m.def("begin_capture", emulation::begin_capture);
  m.def("end_capture", emulation::end_capture);
  m.def("set_backwards", emulation::set_backwards);
  m.def("set_stream", emulation::set_stream);
  m.def("set_lagging", emulation::set_lagging);
  m.def("freed_in_flight", emulation::freed_in_flight);
  m.def("fail_launches", emulation::fail_launches, py::arg("first"), py::arg("count"));
  m.def("fail_allocations", emulation::fail_allocations, py::arg("first"), py::arg("count"));
  m.def("set_device", [](int device) { cudaSetDevice(device); });
  m.def("device", [] {
    int device;
    cudaGetDevice(&device);
    return device;
  });
  m.def("device_changes", emulation::device_changes);
}
