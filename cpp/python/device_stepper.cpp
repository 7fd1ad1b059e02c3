#include "python/device_stepper.h"

#include "python/graph_owner.h"
#include "python/known_types.h"
#include "python/read_array.h"

#include <stdexcept>
#include <utility>

namespace py = pybind11;

namespace gradstep {

void* device_stepper::stream() const {
  const py::object* const parameter = any_parameter();
  return parameter ? stream_of(plan_.on(), *parameter) : nullptr;
}

void* device_stepper::stream_to_wait_for() const {
  if (is_capturing(stream()))
    throw std::runtime_error(
        "what the device has counted and measured can't be waited for while a CUDA graph is captured: ask "
        "for it (stats, state_dict, a copy) before or after the capture");
  return stream();
}

bool device_stepper::is_capturing(void* stream) const {
  const selected_device here(plan_.on());
  return plan_.on().is_capturing(stream);
}

py::list device_stepper::step(const step_arguments& given, const step_books& books,
                              const earlier_step<device_stepper>& before) {
  read_step<device_stepper> objects(*this, given, before);
  if (objects.lacks_states()) return objects.unbound;
  const device_plan::turn turn(plan_, stream());
  device_tables& tables = plan_.prepare(given.groups, given.options);
  step_settings options = given.options;
  if (before.by) {
    device_stepper& by = *before.by;
    const device_plan::turn turn_before(by.plan_, by.stream());
    device_tables& tables_before = by.plan_.prepare(before.given.groups, before.given.options);
    by.count(before.given, {}, true);
    counted_ahead counted(*this, given, books);
    by.plan_.launch(tables_before, before.given.groups, before.given.options);
    options.skip |= before.given.options.skip_nonfinite && by.report().skipped;
    options.skip ? counted.skip() : counted.keep();
  } else {
    count(given, options.skip ? books.skipped : books.updated, !options.skip);
  }
  plan_.launch(tables, given.groups, options);
  if (plan_.is_capturing()) {
    keep_gradients(objects.kept_alive);
    in_graph_.insert(in_graph_.end(), objects.kept_alive.begin(), objects.kept_alive.end());
    keep_in_graph(plan_.on(), stream(), object_of(*this));
  }
  return py::list();
}

py::list device_stepper::read(const step_arguments& given, owners& keep) {
  for (py::object& each : std::exchange(scalars_, {})) keep.push_back(std::move(each));
  py::list unbound = read_all(given, keep);
  if (!unbound.empty() && is_capturing(stream())) refuse_to_capture();
  list_parameters();
  return unbound;
}

std::optional<scalar_ref> device_stepper::find_scalar(const py::object& number) {
  array_view view;
  const bool is_read =
      is_described_tensor(number) ? try_to_read(number, {"a number"}, view) : read_directly(number, view);
  if (!is_read || view.where != plan_.on().where()) return std::nullopt;
  const std::optional<scalar_ref> found = scalar_of(view);
  if (found) scalars_.push_back(number);
  return found;
}

int device_stepper::traverse(visitproc visit, void* arg) const {
  for (const owners* kept : {&scalars_, &in_graph_})
    for (const py::object& each : *kept) Py_VISIT(each.ptr());
  return bindings::traverse(visit, arg);
}

void device_stepper::clear() {
  scalars_.clear();
  in_graph_.clear();
  bindings::clear();
}

}  // namespace gradstep
