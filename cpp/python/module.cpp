// The Python module gradstep._core.
#include <pybind11/native_enum.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <map>
#include <optional>
#include <tuple>

#include "host/simd/dispatch.h"
#include "host/threads.h"
#include "python/autograd.h"
#include "python/bandwidth.h"
#include "python/callables.h"
#include "python/device_bandwidth.h"
#include "python/device_stepper.h"
#include "python/gil.h"
#include "python/host_stepper.h"
#include "python/identities.h"
#include "python/refusals.h"
#include "python/rule_facts.h"
#include "python/schedule_module.h"
#include "python/standalone_device.h"
#include "python/standalone_host.h"
#include "python/tensor_shim.h"
#include "python/whole_writes.h"

namespace py = pybind11;
using namespace gradstep;

namespace {

int find_rule(const std::string& name) {
  const target& on = active_target();
  for (int i = 0; i < on.rule_count; ++i)
    if (on.rules[i].name == name) return i;
  throw py::value_error("there is no rule '" + name + "' in the core");
}

using named_sources = std::vector<std::tuple<std::string, std::variant<scalar_ref, schedule>, double>>;

// Those of numbers that the rule has.
std::vector<number_source> find_places(const rule_entry& rule, const named_sources& sources) {
  std::vector<number_source> found;
  for (const auto& [name, from, factor] : sources)
    if (const int place = place_of_number(rule, name); place >= 0) found.push_back({place, from, factor});
  return found;
}

group_settings make_settings(const std::string& rule, std::vector<double> hypers, double lr,
                             double weight_decay, const step_options& options, row_policy rows,
                             const named_sources& sources) {
  const int index = find_rule(rule);
  const rule_entry& found = active_target().rules[index];
  if (int(hypers.size()) != found.hypers)
    throw py::value_error("the rule '" + rule + "' takes other hyper-parameters");
  group_settings made = {index, std::move(hypers), lr, weight_decay, options, rows};
  if (!sources.empty())
    made.shared_sources = std::make_shared<const std::vector<number_source>>(find_places(found, sources));
  return made;
}

state_names make_names(std::vector<std::string> arrays, std::vector<std::string> numbers, std::string average,
                       std::string average_product, std::string copy,
                       std::map<std::string, std::string> formats) {
  return {std::move(arrays),          std::move(numbers), std::move(average),
          std::move(average_product), std::move(copy),    std::move(formats)};
}

std::map<std::string, rule_facts> rules() {
  std::map<std::string, rule_facts> found;
  const target& on = active_target();
  for (int i = 0; i < on.rule_count; ++i) found[on.rules[i].name] = facts_of(on.rules[i]);
  return found;
}

void bind_rules(py::module_& m) {
  py::class_<rule_facts>(m, "RuleFacts")
      .def_readonly("states", &rule_facts::states)
      .def_readonly("hypers", &rule_facts::hypers)
      .def_readonly("scope", &rule_facts::scope)
      .def_readonly("writes_parameter", &rule_facts::writes_parameter)
      .def_readonly("sees_matrix", &rule_facts::sees_matrix)
      .def_readonly("has_pass_before", &rule_facts::has_pass_before)
      .def_readonly("reads_parameter_before", &rule_facts::reads_parameter_before)
      .def_readonly("states_read_before", &rule_facts::states_read_before)
      .def_readonly("update_bytes", &rule_facts::update_bytes)
      .def_readonly("bytes_before", &rule_facts::bytes_before);
  m.def("rules", &rules);
}

void select_target_of(const std::string& name) {
  if (select_target(name)) return;
  std::string names;
  for (const target* each : available_targets())
    names += (names.empty() ? "" : ", ") + std::string(each->name);
  throw py::value_error("GRADSTEP_TARGET is '" + name + "', but this machine and build offer " + names +
                        ": set it to one of these, or unset it to use the best");
}

std::vector<std::tuple<std::string, std::string, int64_t>> formats() {
  std::vector<std::tuple<std::string, std::string, int64_t>> found;
  for (const format& each : all_formats) found.emplace_back(each.name, each.library_name, each.bytes);
  return found;
}

std::vector<std::string> targets() {
  std::vector<std::string> names;
  for (const target* each : available_targets()) names.push_back(each->name);
  return names;
}

// For tests: the places of two arrays that share memory and of which one is written, and whether that is
// unsure.
std::optional<std::tuple<int, int, bool>> find_sharing_of(const py::list& arrays,
                                                          const std::vector<bool>& written,
                                                          const std::vector<int>& mates) {
  std::vector<array_view> views;
  std::vector<py::object> owners(arrays.size());
  for (size_t i = 0; i < arrays.size(); ++i)
    views.push_back(read_array(arrays[i], {"array", int(i)}, owners[i]));
  std::vector<touched_array> touched;
  for (size_t i = 0; i < arrays.size(); ++i) touched.emplace_back(views[i], written.at(i), mates.at(i));
  if (const auto found = find_sharing(touched)) return std::tuple(found->first, found->second, found->unsure);
  return std::nullopt;
}

void bind_settings(py::module_& m) {
  py::native_enum<decay_kind>(m, "DecayKind", "enum.Enum")
      .value("COUPLED", decay_kind::coupled)
      .value("DECOUPLED", decay_kind::decoupled)
      .value("FULL", decay_kind::full)
      .value("CORRECTED", decay_kind::corrected)
      .finalize();
  py::native_enum<row_policy>(m, "RowPolicy", "enum.Enum")
      .value("REFUSE", row_policy::refuse)
      .value("REST", row_policy::rest)
      .value("LAG", row_policy::lag)
      .finalize();
  py::class_<step_options>(m, "StepOptions")
      .def(py::init<>())
      .def_readwrite("decay", &step_options::decay)
      .def_readwrite("peak_lr", &step_options::peak_lr)
      .def_readwrite("cautious", &step_options::cautious)
      .def_readwrite("maximize", &step_options::maximize)
      .def_readwrite("clip_norm", &step_options::clip_norm)
      .def_readwrite("clip_by_group", &step_options::clip_by_group)
      .def_readwrite("clip_value", &step_options::clip_value)
      .def_readwrite("has_ema", &step_options::has_ema)
      .def_readwrite("ema_bias_correction", &step_options::ema_bias_correction)
      .def_readwrite("ema", &step_options::ema)
      .def_readwrite("has_cast_to", &step_options::has_cast_to)
      .def_readwrite("zero_grad", &step_options::zero_grad);
  py::class_<scalar_ref>(m, "ScalarRef");
  py::class_<group_settings>(m, "GroupSettings")
      .def(py::init(&make_settings), py::arg("rule"), py::arg("hypers"), py::arg("lr"),
           py::arg("weight_decay"), py::arg("options"), py::arg("rows") = row_policy::refuse,
           py::arg("sources") = named_sources());
  py::class_<step_settings>(m, "StepSettings")
      .def(py::init([](int threads) { return step_settings{.threads = threads}; }), py::arg("threads"))
      .def_readwrite("threads", &step_settings::threads)
      .def_readwrite("unscale", &step_settings::unscale)
      .def_readwrite("skip", &step_settings::skip)
      .def_readwrite("skip_nonfinite", &step_settings::skip_nonfinite)
      .def_readwrite("stats", &step_settings::stats)
      .def_readwrite("known_norm", &step_settings::known_norm)
      .def_readwrite("grad_scale", &step_settings::grad_scale)
      .def_readwrite("found_inf", &step_settings::found_inf)
      .def_readwrite("tells_states", &step_settings::tells_states)
      .def_readwrite("ahead", &step_settings::ahead)
      .def_readwrite("joins", &step_settings::joins);
  py::class_<step_report>(m, "StepReport")
      .def_readonly("has_stats", &step_report::has_stats)
      .def_readonly("skipped", &step_report::skipped)
      .def_readonly("gradient_norm", &step_report::gradient_norm)
      .def_readonly("update_norm", &step_report::update_norm)
      .def_readonly("parameter_norm", &step_report::parameter_norm)
      .def_readonly("nonfinite", &step_report::nonfinite);
}

void bind_standalone_operations(py::module_& m) {
  py::class_<standalone_operations>(m, "StandaloneOperations")
      .def("unscale", &standalone_operations::unscale, py::arg("gradients"), py::arg("by"))
      .def("norm", &standalone_operations::norm, py::arg("gradients"))
      .def("clip_norm", &standalone_operations::clip_norm, py::arg("gradients"), py::arg("limit"),
           py::arg("total"))
      .def("clip_value", &standalone_operations::clip_value, py::arg("gradients"), py::arg("limit"))
      .def("zero", &standalone_operations::zero, py::arg("gradients"))
      .def("average", &standalone_operations::average, py::arg("averages"), py::arg("parameters"),
           py::arg("decay"), py::arg("product"))
      .def("cast", &standalone_operations::cast, py::arg("copies"), py::arg("parameters"));
  py::class_<host_operations, standalone_operations>(m, "HostOperations")
      .def(py::init<int>(), py::arg("threads"));
  py::class_<device_operations, standalone_operations>(m, "DeviceOperations")
      .def(py::init<const py::capsule&, int>(), py::arg("engine"), py::arg("device"));
}

template <class Plan>
void collect(PyHeapTypeObject* heap_type) {
  PyTypeObject& type = heap_type->ht_type;
  type.tp_flags |= Py_TPFLAGS_HAVE_GC;
  type.tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!py::detail::is_holder_constructed(self)) return 0;
    return py::cast<Plan&>(py::handle(self)).traverse(visit, arg);
  };
  type.tp_clear = [](PyObject* self) {
    if (py::detail::is_holder_constructed(self)) py::cast<Plan&>(py::handle(self)).clear();
    return 0;
  };
}

state_binding make_binding(int index, py::dict state, py::dict added, const state_names& names, bool fresh) {
  return {index, std::move(state), std::move(added), names, fresh};
}

template <class Plan>
using earlier_arguments =
    std::optional<std::tuple<Plan*, py::object, py::object, std::vector<group_settings>, step_settings>>;

template <class Plan>
py::list make_step(Plan& self, py::object parameters, py::object gradients, py::object states,
                   std::vector<group_settings> groups, const step_settings& settings,
                   std::vector<state_binding> bindings, const py::list& updated, const py::list& skipped,
                   earlier_arguments<Plan> before) {
  const step_arguments given = {
      std::move(parameters), std::move(gradients), std::move(states), std::move(groups), settings,
      std::move(bindings)};
  earlier_step<Plan> earlier;
  if (before) {
    auto& [plan, its_parameters, its_gradients, its_groups, its_settings] = *before;
    earlier = {plan, {its_parameters, its_gradients, py::list(), std::move(its_groups), its_settings, {}}};
  }
  return self.step(given, {bookkeeping(updated), bookkeeping(skipped)}, earlier);
}

template <class Plan>
py::class_<Plan> bind_plan(py::module_& m, const char* name) {
  return py::class_<Plan>(m, name, py::custom_type_setup(collect<Plan>))
      .def("step", &make_step<Plan>, py::arg("parameters"), py::arg("gradients"), py::arg("states"),
           py::arg("groups"), py::arg("settings"), py::arg("bindings") = std::vector<state_binding>(),
           py::arg("updated") = py::list(), py::arg("skipped") = py::list(), py::arg("before") = py::none())
      .def("catch_up", &Plan::catch_up, py::arg("indices"), py::arg("rows"), py::arg("threads"))
      .def("report", &Plan::report)
      .def("skipped", &Plan::skipped)
      .def("gathered", &Plan::gathered);
}

void bind_books(py::module_& m) {
  m.def("holds_items", &holds_items, py::arg("container"), py::arg("keys"), py::arg("values"));
  m.attr("REMOVED") = bookkeeping::removed();
  m.attr("GRADIENT_NORM") = bookkeeping::gradient_norm();
  m.def("write", [](const py::list& entries) { bookkeeping(entries).replace(); }, py::arg("entries"));
  m.def("meet_torch", &meet_torch, py::arg("tensor"), py::arg("increment_version"), py::arg("takes_list"),
        py::arg("modes"));
  m.def("meet_tensor_shim", &tensor_shim::meet, py::arg("functions"), py::arg("handle_offset"));
  py::class_<state_binding>(m, "StateBinding")
      .def(py::init(&make_binding), py::arg("index"), py::arg("state"), py::arg("added"), py::arg("names"),
           py::arg("fresh"));
}

}  // namespace

py::object gradstep::object_of(device_stepper& plan) { return py::cast(&plan); }

PYBIND11_MODULE(_core, m) {
  watch_forks();
  let_forks_wait();
  let_core_release_gil();
  m.doc() = "The compiled core of gradstep.";
  m.attr("__version__") = GRADSTEP_VERSION;

  m.def("targets", &targets);
  m.def("active_target", [] { return std::string(active_target().name); });
  m.def("select_target", &select_target_of, py::arg("name"));
  bind_rules(m);
  m.def("formats", &formats);
  m.def("hardware_threads", &hardware_threads);
  m.def("thread_source", &thread_source);

  m.def("check_parameters", &check_parameters, py::arg("parameters"));
  m.def("find_sharing", &find_sharing_of, py::arg("arrays"), py::arg("written"), py::arg("mates"));
  m.def(
      "common_device",
      [](const py::list& parameters) {
        const device found = common_device(parameters);
        return std::pair(found.type, found.id);
      },
      py::arg("parameters"));
  m.def(
      "hand_callables",
      [](py::object meet_type, py::object describe, py::object read_rows, py::object current_stream,
         py::object empty_caches) {
        hand({std::move(meet_type), std::move(describe), std::move(read_rows), std::move(current_stream),
              std::move(empty_caches)});
      },
      py::arg("meet_type"), py::arg("describe"), py::arg("read_rows"), py::arg("current_stream"),
      py::arg("empty_caches"));
  bind_settings(m);
  py::class_<state_names>(m, "StateNames")
      .def(py::init(&make_names), py::arg("arrays"), py::arg("numbers"), py::arg("average") = "",
           py::arg("average_product") = "", py::arg("copy") = "",
           py::arg("formats") = std::map<std::string, std::string>());
  bind_books(m);
  bind_plan<host_stepper>(m, "Plan").def(py::init<>());
  bind_plan<device_stepper>(m, "DevicePlan")
      .def(py::init<const py::capsule&, int>(), py::arg("engine"), py::arg("device"))
      .def("start_from", &device_stepper::start_from, py::arg("updates"), py::arg("last_norm"))
      .def("updates", &device_stepper::updates)
      .def("last_norm", &device_stepper::last_norm)
      .def("not_updated", &device_stepper::not_updated)
      .def("is_capturing", &device_stepper::is_capturing_of, py::arg("parameter"))
      .def("find_scalar", &device_stepper::find_scalar, py::arg("number"));
  py::class_<read_modify_write>(m, "ReadModifyWrite")
      .def(py::init<const py::list&>(), py::arg("tensors"))
      .def("run", &read_modify_write::run, py::arg("threads"));
  py::class_<device_read_modify_write>(m, "DeviceReadModifyWrite")
      .def(py::init<const py::capsule&, int, const py::list&, const py::object&>(), py::arg("engine"),
           py::arg("device"), py::arg("written"), py::arg("read"))
      .def("run", &device_read_modify_write::run);
  bind_standalone_operations(m);
  bind_schedules(m);
}
