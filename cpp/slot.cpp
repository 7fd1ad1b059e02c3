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
  }
  task.gradient.data = gradient.data;
  return moved;
}

void slot::bind(py::dict new_state, const std::vector<std::string>& arrays,
                const std::vector<std::string>& numbers, bool is_fresh, int index) {
  state = std::move(new_state);
  task.state_count = -1;  // it holds none until all are found good
  names.clear();
  members.clear();
  mirrors.clear();
  fresh = is_fresh;
  for (const auto* list : {&arrays, &numbers})
    for (const std::string& name : *list) {
      names.push_back(py::reinterpret_steal<py::object>(PyUnicode_InternFromString(name.c_str())));
      members.push_back(state[names.back()]);
    }
  for (size_t k = arrays.size(); k < names.size(); ++k) {
    py::object owner;
    const array_view number = read_array(members[k], {"the state of parameter", index}, owner);
    if (number.size() != 1 || !number.writable || (number.type != dtype::f32 && number.type != dtype::f64))
      throw py::value_error("the state '" + py::str(names[k]).cast<std::string>() + "' of parameter " +
                            std::to_string(index) +
                            " must be a writable array of one float32 or float64 number");
    mirrors.push_back({number.data, number.type});
  }
  task.state_count = int(arrays.size());
  try {
    lay_out_states(index);
  } catch (...) {
    task.state_count = -1;
    throw;
  }
}

void slot::lay_out_states(int index) {
  for (int k = 0; k < task.state_count; ++k) {
    py::object owner;
    const array_view array = read_array(members[size_t(k)], {"a state of parameter", index}, owner);
    const std::string what = "the state '" + py::str(names[size_t(k)]).cast<std::string>() +
                             "' of parameter " + std::to_string(index);
    require_shape(array, view, what);
    if (!array.writable)
      throw py::value_error(what + " is read-only: pass an array that can be written in place");
    task.states[k] = operand(array, order);
  }
}

bool slot::holds_its_states(int count) {
  if (!state.ptr() || task.state_count != count) return false;
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
  for (size_t k = 1; k < mirrors.size(); ++k) c.kept[k - 1] = mirrors[k].get();
  return c;
}

void slot::advance(const clock& c) {
  t = c.t;
  fresh = false;
  if (!mirrors.empty()) mirrors[0].set(double(t));
  for (size_t k = 1; k < mirrors.size(); ++k) mirrors[k].set(c.kept[k - 1]);
}

}  // namespace gradstep
