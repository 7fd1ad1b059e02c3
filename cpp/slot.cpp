#include "slot.h"

#include <pybind11/stl.h>

#include <cstring>

namespace py = pybind11;

namespace gradstep {

double mirror::get() const {
  if (type == dtype::f64) {
    double value;
    std::memcpy(&value, data, sizeof value);
    return value;
  }
  float value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

void mirror::set(double value) const {
  if (type == dtype::f64) {
    std::memcpy(data, &value, sizeof value);
  } else {
    const float narrow = float(value);
    std::memcpy(data, &narrow, sizeof narrow);
  }
}

namespace {

std::string shape_text(const array_view& view) {
  py::tuple shape(view.ndim);
  for (int d = 0; d < view.ndim; ++d) shape[size_t(d)] = view.dimensions[d].size;
  return py::str(shape);
}

void require_shape(const array_view& given, const array_view& parameter, const std::string& what) {
  bool equal = given.ndim == parameter.ndim;
  for (int d = 0; equal && d < given.ndim; ++d)
    equal = given.dimensions[d].size == parameter.dimensions[d].size;
  if (equal) return;
  throw py::value_error(what + " has shape " + shape_text(given) + ", but the parameter has shape " +
                        shape_text(parameter) + ": they must be equal");
}

bool unchanged(const array_view& now, const array_view& before) {
  return now.type == before.type && now.same_place_as(before);
}

}  // namespace

array_view read_parameter(py::handle parameter, int index, std::vector<py::object>& keep) {
  py::object owner;
  const array_view view = read_array(parameter, {"parameter", index}, owner);
  if (owner) keep.push_back(std::move(owner));
  if (!view.writable)
    throw py::value_error("parameter " + std::to_string(index) +
                          " is read-only: pass an array that can be written in place");
  return view;
}

bool slot::read(py::handle parameter_now, py::handle gradient_now, int index, std::vector<py::object>& keep) {
  if (parameter.ptr() != parameter_now.ptr()) {
    *this = slot{};
    parameter = py::reinterpret_borrow<py::object>(parameter_now);
  }
  const array_view seen = read_parameter(parameter_now, index, keep);
  py::object owner;
  const array_view gradient = read_array(gradient_now, {"the gradient of parameter", index}, owner);
  keep.push_back(owner ? std::move(owner) : py::reinterpret_borrow<py::object>(gradient_now));

  if (gradient_now.ptr() != gradient_seen || gradient.data != task.gradient.data)
    refuse_negated(gradient_now, {"the gradient of parameter", index});
  gradient_seen = gradient_now.ptr();

  const bool reshaped = !laid_out || !unchanged(seen, view);
  const bool moved = reshaped || seen.data != view.data;
  if (moved) {
    inspect_tensor(parameter_now, {"parameter", index});
    require_shape(gradient, seen, "the gradient of parameter " + std::to_string(index));
    laid_out = false;
    view = seen;
    order = memory_order(seen);
    size = seen.size();
    task.parameter = operand(seen, order);
    if (reshaped) lay_out_states(index);
    laid_out = true;
  }
  if (moved || !unchanged(gradient, gradient_view)) {
    require_shape(gradient, view, "the gradient of parameter " + std::to_string(index));
    task.gradient = operand(gradient, order);
    gradient_view = gradient;
    gradient_moved = true;
  }
  gradient_moved |= moved || gradient.data != task.gradient.data;
  task.gradient.data = gradient.data;
  gradient_view.data = gradient.data;
  return moved;
}

void slot::bind(py::dict new_state, const state_names& of, bool is_fresh, int index) {
  state = std::move(new_state);
  task.state_count = -1;  // it holds none until all are found good
  names.clear();
  members.clear();
  mirrors.clear();
  fresh = is_fresh;
  const auto take = [&](const std::string& name) {
    if (name.empty()) return;
    names.push_back(py::reinterpret_steal<py::object>(PyUnicode_InternFromString(name.c_str())));
    members.push_back(state[names.back()]);
  };
  for (const std::string& name : of.arrays) take(name);
  take(of.average);
  take(of.copy);
  for (const std::string& name : of.numbers) {
    take(name);
    mirrors.push_back(read_number(members.size() - 1, index));
  }
  take(of.average_product);
  average_product = of.average_product.empty() ? mirror{} : read_number(members.size() - 1, index);
  task.has_average = !of.average.empty();
  task.has_copy = !of.copy.empty();
  task.state_count = int(of.arrays.size());
  try {
    lay_out_states(index);
  } catch (...) {
    task.state_count = -1;
    throw;
  }
}

mirror slot::read_number(size_t member, int index) const {
  py::object owner;
  const array_view number = read_array(members[member], {"the state of parameter", index}, owner);
  if (number.size() != 1 || !number.writable || (number.type != dtype::f32 && number.type != dtype::f64))
    throw py::value_error("the state '" + py::str(names[member]).cast<std::string>() + "' of parameter " +
                          std::to_string(index) +
                          " must be a writable array of one float32 or float64 number");
  return {number.data, number.type};
}

void slot::lay_out_states(int index) {
  if (task.state_count < 0) return;
  size_t member = 0;
  for (int k = 0; k < task.state_count; ++k) task.states[k] = lay_out_state(member++, index);
  if (task.has_average) task.average = lay_out_state(member++, index);
  if (task.has_copy) task.copy = lay_out_state(member++, index);
}

operand slot::lay_out_state(size_t member, int index) const {
  py::object owner;
  const array_view array = read_array(members[member], {"a state of parameter", index}, owner);
  const std::string what =
      "the state '" + py::str(names[member]).cast<std::string>() + "' of parameter " + std::to_string(index);
  require_shape(array, view, what);
  if (!array.writable)
    throw py::value_error(what + " is read-only: pass an array that can be written in place");
  return operand(array, order);
}

bool slot::holds_its_states(int count, const group_settings& settings) {
  if (!state.ptr() || task.state_count != count) return false;
  if (task.has_average != settings.around.averages || task.has_copy != settings.around.copies) return false;
  if ((average_product.data != nullptr) != settings.around.corrects_average) return false;
  if (values_seen.match(state)) return true;
  for (size_t k = 0; k < names.size(); ++k)
    if (PyDict_GetItem(state.ptr(), names[k].ptr()) != members[k].ptr()) return false;
  values_seen.remember(state);
  return true;
}

clock slot::now() const {
  clock c = {};
  c.t = t;
  // A float32 mirror is exact to 2^24; beyond that it only shows ours.
  if (!mirrors.empty() && mirrors[0].get() != double(mirrors[0].type == dtype::f32 ? float(t) : double(t)))
    c.t = int64_t(mirrors[0].get());
  ++c.t;
  c.fresh = fresh;
  if (average_product.data) c.average_product = average_product.get();
  for (size_t k = 1; k < mirrors.size(); ++k) c.kept[k - 1] = mirrors[k].get();
  return c;
}

void slot::take_time(const clock& c) {
  t = c.t;
  if (!mirrors.empty()) mirrors[0].set(double(t));
  for (size_t k = 1; k < mirrors.size(); ++k) mirrors[k].set(c.kept[k - 1]);
}

void slot::advance(const clock& c) {
  take_time(c);
  fresh = false;
  if (average_product.data) average_product.set(c.average_product);
}

}  // namespace gradstep
