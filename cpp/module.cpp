// The Python module gradstep._core.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bandwidth.h"
#include "dispatch.h"
#include "plan.h"
#include "schedule_module.h"
#include "threads.h"

namespace py = pybind11;
using namespace gradstep;

namespace {

std::vector<std::string> hyper_names(const rule_entry& rule) {
  return {rule.hyper_names, rule.hyper_names + rule.hypers};
}

int find_rule(const std::string& name) {
  const target& on = active_target();
  for (int i = 0; i < on.rule_count; ++i)
    if (on.rules[i].name == name) return i;
  throw py::value_error("there is no rule '" + name + "' in the core");
}

group_settings make_settings(const std::string& rule, double lr, double weight_decay, bool decoupled,
                             bool maximize, std::vector<double> hypers) {
  const int index = find_rule(rule);
  if (int(hypers.size()) != active_target().rules[index].hypers)
    throw py::value_error("the rule '" + rule + "' takes other hyper-parameters");
  return {index, lr, weight_decay, decoupled, maximize, std::move(hypers)};
}

py::dict rules() {
  py::dict found;
  const target& on = active_target();
  for (int i = 0; i < on.rule_count; ++i)
    found[on.rules[i].name] = py::make_tuple(on.rules[i].states, hyper_names(on.rules[i]));
  return found;
}

std::vector<std::string> targets() {
  std::vector<std::string> names;
  for (const target* each : available_targets()) names.push_back(each->name);
  return names;
}

void collect_plans(PyHeapTypeObject* heap_type) {
  PyTypeObject& type = heap_type->ht_type;
  type.tp_flags |= Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!py::detail::is_holder_constructed(self)) return 0;
    return py::cast<plan&>(py::handle(self)).traverse(visit, arg);
  };
  type.tp_clear = [](PyObject* self) {
    if (py::detail::is_holder_constructed(self)) py::cast<plan&>(py::handle(self)).clear();
    return 0;
  };
}

}  // namespace

PYBIND11_MODULE(_core, m) {
  watch_forks();
  m.doc() = "The compiled core of gradstep.";
  m.attr("__version__") = GRADSTEP_VERSION;

  m.def("targets", &targets);
  m.def("active_target", [] { return std::string(active_target().name); });
  m.def("select_target", &select_target, py::arg("name"));
  m.def("rules", &rules);
  m.def("hardware_threads", &hardware_threads);
  m.def("thread_source", &thread_source);

  m.def("check_parameters", &check_parameters, py::arg("parameters"));
  py::class_<group_settings>(m, "GroupSettings")
      .def(py::init(&make_settings), py::arg("rule"), py::arg("lr"), py::arg("weight_decay"),
           py::arg("decoupled"), py::arg("maximize"), py::arg("hypers"));
  py::class_<plan>(m, "Plan", py::custom_type_setup(collect_plans))
      .def(py::init<>())
      .def("bind", &plan::bind, py::arg("index"), py::arg("state"), py::arg("arrays"), py::arg("numbers"),
           py::arg("fresh"))
      .def("step", &plan::step, py::arg("parameters"), py::arg("gradients"), py::arg("states"),
           py::arg("groups"), py::arg("threads"))
      .def("written", &plan::written)
      .def("gathered", &plan::gathered);
  py::class_<read_modify_write>(m, "ReadModifyWrite")
      .def(py::init<const py::list&>(), py::arg("tensors"))
      .def("run", &read_modify_write::run, py::arg("threads"));
  bind_schedules(m);
}
