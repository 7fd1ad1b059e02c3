#include "python/schedule_module.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <stdexcept>

#include "host/schedule.h"
#include "host/simd/dispatch.h"
#include "python/aligned_array.h"
#include "python/read_array.h"
#include "step/caller_lock.h"

namespace py = pybind11;

namespace gradstep {
namespace {

using steps_array = aligned_array<int64_t>;
using numbers_array = aligned_array<double>;

numbers_array empty_like(const py::array& shaped) {
  return numbers_array(std::vector<py::ssize_t>(shaped.shape(), shaped.shape() + shaped.ndim()));
}

numbers_array evaluate(const schedule& s, const steps_array& t, int threads) {
  numbers_array out = empty_like(t);
  const int64_t* const from = t.data();
  double* const to = out.mutable_data();
  const int64_t n = t.size();
  unlocked([&] { s.at(from, to, n, threads); });
  return out;
}

numbers_array call_function(const std::string& name, const numbers_array& x, const numbers_array& y) {
  const target& t = active_target();
  if (x.size() != y.size()) throw std::invalid_argument("x and y differ in size");
  for (int i = 0; i < t.function_count; ++i) {
    if (t.functions[i].name != name) continue;
    numbers_array out = empty_like(x);
    t.functions[i].map(x.data(), y.data(), out.mutable_data(), x.size());
    return out;
  }
  throw std::invalid_argument("there is no function '" + name + "'");
}

}  // namespace

void bind_schedules(py::module_& m) {
  py::class_<schedule>(m, "Program", "A schedule's program, checked and ready to evaluate.")
      .def(py::init<const std::vector<schedule::line>&>(), py::arg("lines"))
      .def("at", py::overload_cast<int64_t>(&schedule::at, py::const_), py::arg("t").noconvert(),
           "The value at step t.")
      .def("evaluate", &evaluate, py::arg("t").noconvert(), py::arg("threads"),
           "The values at an array of steps (int64).");
  m.def("call_function", &call_function, py::arg("name"), py::arg("x"), py::arg("y"),
        "A function of transcendental.h or angles.h over arrays, under the active target.");
}

}  // namespace gradstep
