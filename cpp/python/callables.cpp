#include "python/callables.h"

#include "device/engine.h"

namespace py = pybind11;

namespace gradstep {

callables& python() {
  static callables& handed = *new callables;
  return handed;
}

void bind_callables(py::module_& m) {
  m.def(
      "hand_callables",
      [](py::object meet_type, py::object describe, py::object read_rows, py::object current_stream,
         py::object empty_caches) {
        python() = {std::move(meet_type), std::move(describe), std::move(read_rows),
                    std::move(current_stream), std::move(empty_caches)};
        set_cache_emptier([] { python().empty_caches(); });
      },
      py::arg("meet_type"), py::arg("describe"), py::arg("read_rows"), py::arg("current_stream"),
      py::arg("empty_caches"));
}

}  // namespace gradstep
