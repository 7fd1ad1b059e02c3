// The Python module gradstep._core.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "dispatch.h"
#include "schedule_module.h"

namespace py = pybind11;
using namespace gradstep;

PYBIND11_MODULE(_core, m) {
  m.doc() = "The compiled core of gradstep.";
  m.attr("__version__") = GRADSTEP_VERSION;
  m.def("targets", [] {
    std::vector<std::string> names;
    for (const target* each : available_targets()) names.push_back(each->name);
    return names;
  });
  m.def("active_target", [] { return std::string(active_target().name); });
  m.def("select_target", &select_target, py::arg("name"));
  bind_schedules(m);
}
