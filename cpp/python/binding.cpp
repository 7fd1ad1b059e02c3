#include "python/binding.h"

#include <cmath>
#include <utility>

#include "python/refusals.h"
#include "python/sparse.h"

namespace py = pybind11;

namespace gradstep {

namespace {

constexpr double largest_count = 9007199254740992;  // 2^53: every whole number up to it is a double

dtype find_two_planed(const std::string& name) {
  for (int i = 0; i < dtype_count; ++i)
    if (name == all_formats[i].name && all_formats[i].second.group) return dtype(i);
  throw py::value_error("there is no format '" + name + "' of two planes in the core");
}

}  // namespace

array_view read_parameter(py::handle parameter, const array_role& role, owners& keep) {
  py::object owner;
  const array_view view = read_array(parameter, role, owner);
  if (owner) keep.push_back(std::move(owner));
  if (!view.writable) refuse_read_only(role.text());
  return view;
}

std::string binding::member_text(size_t member) const {
  return "the state '" + py::str(names_[member]).cast<std::string>() + "' of parameter " +
         std::to_string(index_);
}

void binding::take(py::handle parameter_now) {
  if (parameter_.is(parameter_now)) return;
  *of_ = tensor();
  *this = binding(*of_, index_, where_, on_host_);
  parameter_ = py::reinterpret_borrow<py::object>(parameter_now);
}

bool binding::read(py::handle gradient_now, const rule_entry& rule, const group_settings& settings,
                   owners& keep) {
  of_->layout.see_as(rule.form);
  bound_ = suits(rule.states, settings) && holds_its_members();
  const tensor_layout& layout = of_->layout;
  const array_role its_role = role("the gradient of parameter");
  const bool comes_again = gradient_now.is(gradient_seen_);
  const bool stays =
      layout.is_laid_out() && !layout.row_dimensions() && parameter_known_.is_unchanged(parameter_);
  if (stays && comes_again && gradient_known_.is_unchanged(gradient_now)) {
    follow_rows(false);
    return read_states(keep);
  }
  array_view moved_there;
  if (!stays) moved_there = look_at_parameter(keep);
  const array_view& seen = stays ? layout.parameter() : moved_there;
  array_view gradient;
  py::object owner;
  if (!read_directly(gradient_now, gradient)) {
    if (on_host_ && settings.rows != row_policy::refuse)
      if (const auto rows = find_rows(gradient_now, seen, its_role)) {
        read_rows(seen, *rows, keep);
        follow_rows(settings.rows == row_policy::lag);
        return true;
      }
    gradient = read_description(gradient_now, its_role, owner);
  }
  refuse_elsewhere(gradient, its_role);
  if (owner) keep.push_back(std::move(owner));
  inspect_tensor(gradient_now, gradient, its_role);
  gradient_seen_ = gradient_now;
  follow_rows(false);
  const bool moved = read_dense(seen, gradient, keep);
  if (!moved && !stays) parameter_known_.remember(parameter_, seen);
  if (comes_again)  // a new one seldom does
    gradient_known_.remember(gradient_now, gradient);
  else
    gradient_known_.forget();
  return moved;
}

array_view binding::look_at_parameter(owners& keep) const {
  const array_role its_role = role("parameter");
  const array_view found = read_parameter(parameter_, its_role, keep);
  inspect_tensor(parameter_, found, its_role);
  return found;
}

bool binding::read_dense(const array_view& seen, const array_view& gradient, owners& keep) {
  tensor_layout& layout = of_->layout;
  bool moved = layout.lies_elsewhere(seen, 0);
  if (layout.must_lay_out_gradient(gradient, moved))
    require_shape(gradient, seen, role("the gradient of parameter").text());
  if (moved) lay_out(seen, 0);
  moved |= read_states(keep);
  layout.set_gradient(gradient, moved);
  return moved;
}

void binding::read_rows(const array_view& seen, const sparse_gradient& gradient, owners& keep) {
  tensor_layout& layout = of_->layout;
  const array_role its_role = role("the gradient of parameter");
  py::object owner;
  const array_view values = read_array(gradient.values, its_role, owner);
  require_same_kind(values, seen, its_role.text());
  inspect_tensor(gradient.values, values, its_role);
  keep.push_back(gradient.values);
  if (owner) keep.push_back(std::move(owner));
  if (layout.lies_elsewhere(seen, gradient.row_dimensions)) lay_out(seen, gradient.row_dimensions);
  read_states(keep);
  row_order rows = sort_rows(gradient.numbers.span());
  if (!layout.fits(values, rows)) refuse_changed_rows(index_);
  layout.set_rows(values, std::move(rows));
  gradient_seen_ = {};
  row_values_ = gradient.values;
}

bool binding::is_unmoved(py::handle gradient_now) {
  const tensor_layout& layout = of_->layout;
  bool unmoved = !parameter_known_.was_moved(parameter_);
  if (!gradient_now.is_none())
    unmoved &= lies_as_read(layout.row_dimensions() ? row_values_ : gradient_now, layout.gradient());
  for (size_t member = 0; bound_ && member < members_.size(); ++member)
    unmoved &= !known_[member].was_moved(members_[member]);
  return unmoved && (!bound_ || holds_its_members());
}

// The states are read next.
void binding::lay_out(const array_view& seen, int row_dimensions) {
  tensor_layout& layout = of_->layout;
  if (layout.differs(seen, row_dimensions)) refuse_lagging();
  if (layout.is_reshaped(seen, row_dimensions))
    for (sighting& each : known_) each = {};
  layout.lay_out(seen, row_dimensions);
  parameter_known_.remember(parameter_, seen);
}

void binding::follow_rows(bool lag) {
  if (!lag) refuse_lagging();
  of_->layout.task.history = lag ? &of_->lazy.follow(of_->layout.row_count()) : nullptr;
}

void binding::refuse_lagging() const {
  if (of_->lazy.lag()) refuse_lagging_rows(index_);
}

void binding::visit_lagging(const py::object& numbers, owners& keep) {
  tensor_layout& layout = of_->layout;
  const bool stays = layout.is_laid_out() && parameter_known_.is_unchanged(parameter_);
  const array_view seen = stays ? layout.parameter() : look_at_parameter(keep);
  if (layout.lies_elsewhere(seen, layout.row_dimensions())) lay_out(seen, layout.row_dimensions());
  bound_ = layout.task.state_count >= 0;  // what lags is in these, even if they were replaced since
  read_states(keep);
  if (numbers.is_none() || layout.row_dimensions() > 1)
    layout.visit_rows(of_->lazy.behind(std::nullopt));
  else
    layout.visit_rows(of_->lazy.behind(sort_rows(whole_numbers(numbers).span()).visited.numbers));
  layout.task.step = &of_->lazy.last_update();
}

void binding::bind(const state_binding& given) {
  refuse_lagging();
  drop_added();
  const state_names& of = given.names;
  names_.clear();
  members_.clear();
  of_->time.numbers.clear();
  const auto take = [&](const std::string& name) {
    if (name.empty()) return;
    names_.push_back(py::reinterpret_steal<py::object>(PyUnicode_InternFromString(name.c_str())));
    members_.push_back(given.added.contains(name) ? given.added[names_.back()] : given.state[names_.back()]);
  };
  for (const std::string& name : of.arrays) take(name);
  take(of.average);
  take(of.copy);
  for (const std::string& name : of.numbers) take(name);
  take(of.average_product);
  of_->time.numbers.resize(of.numbers.size());
  ema_bias_correction_ = !of.average_product.empty();
  of_->layout.expect({int(of.arrays.size()), !of.average.empty(), !of.copy.empty()});
  two_planed_.clear();
  for (int k = 0; k < int(of.arrays.size()); ++k) {
    const auto format = of.formats.find(of.arrays[size_t(k)]);
    if (format == of.formats.end()) continue;
    of_->layout.set_format(k, find_two_planed(format->second));
    two_planed_.push_back(k);
    take(format->first + "_second");
  }
  known_.assign(members_.size(), {});
  values_seen_.forget();  // of the members before: one that comes back is none of these
  state_ = given.state;
  if (!given.added.empty()) added_ = given.added;
  of_->time.fresh = given.fresh;
  of_->time.on_device = false;
  states_known_ = true;
}

void binding::drop_added() {
  if (!added_) return;
  added_ = {};
  of_->layout.forget_states();
}

bool binding::read_states(owners& keep) {
  bool moved = false;
  if (bound_)
    for (size_t member = 0; member < members_.size(); ++member) moved |= read_member(member, keep);
  of_->layout.finish();
  return moved;
}

bool binding::read_member(size_t member, owners& keep) {
  if (known_[member].is_unchanged(members_[member])) return false;
  const array_role its_role = role("a state of parameter");
  py::object owner;
  const array_view array = read_array(members_[member], its_role, owner);
  if (owner) keep.push_back(std::move(owner));
  const bool lies_there_still = known_[member].was_read_as(array);
  if (!lies_there_still) of_->layout.mark_moved();
  inspect_tensor(members_[member], array, its_role);
  if (lies_there_still) return false;
  set_member(member, array);
  known_[member].remember(members_[member], array);
  return true;
}

void binding::set_member(size_t member, const array_view& array) {
  tensor_layout& layout = of_->layout;
  const std::string what = member_text(member);
  if (member < layout.state_count()) {
    require_shape(array, layout.expected_state(member), what,
                  layout.is_like_parameter(member) ? "the parameter has" : "its rule needs");
    if (!array.writable) refuse_read_only(what);
    if (const auto format = layout.format_of_state(member))
      require_contiguous(layout.visited_part(array), *format, what);
    layout.set_state(member, array);
    return;
  }
  std::vector<scalar_ref>& numbers = of_->time.numbers;
  const size_t place = member - layout.state_count();
  if (place < numbers.size())
    numbers[place] = read_scalar(array, what);
  else if (const size_t second = place - numbers.size(); ema_bias_correction_ && second == 0)
    of_->time.average_product = read_scalar(array, what);
  else
    set_second_plane(two_planed_[second - size_t(ema_bias_correction_)], array, what);
}

void binding::set_second_plane(int state, const array_view& array, const std::string& what) {
  tensor_layout& layout = of_->layout;
  const second_plane& second = format_of(*layout.format_of_state(size_t(state))).second;
  const int64_t groups = (layout.parameter().size() + second.group - 1) / second.group;
  const bool is_run = array.ndim == 1 && (array.dimensions[0].stride == format_of(array.type).bytes ||
                                          array.dimensions[0].size <= 1);
  if (!is_run || array.dimensions[0].size * format_of(array.type).bytes != groups * second.bytes)
    throw py::value_error(what + " must be one contiguous run of " + std::to_string(groups * second.bytes) +
                          " bytes, " + std::to_string(second.bytes) + " for each " +
                          std::to_string(second.group) + " numbers");
  if (!array.writable) refuse_read_only(what);
  layout.set_second_plane(state, array.data);
}

void binding::refuse_wrong_count() const {
  const tensor_time& time = of_->time;
  if (!on_host_ || !bound_ || time.numbers.empty()) return;
  const double count = time.numbers[0].get();
  if (count == double(time.t)) return;  // as it was left
  if (count >= 0 && count <= largest_count && count == std::floor(count)) return;
  throw py::value_error(member_text(of_->layout.state_count()) + " is " +
                        py::str(py::float_(count)).cast<std::string>() +
                        ": it counts updates and must be a whole number from 0 on; load a state_dict that is "
                        "whole, or set it");
}

bool binding::suits(int state_count, const group_settings& settings) const {
  const step_options& options = settings.options;
  return states_known_ && of_->layout.has({state_count, options.has_ema, options.has_cast_to}) &&
         ema_bias_correction_ == options.ema_bias_correction;
}

bool binding::holds_its_members() {
  if (!added_ && values_seen_.match(state_)) return true;
  for (size_t k = 0; k < names_.size(); ++k) {
    PyObject* const made = added_ ? PyDict_GetItem(added_.ptr(), names_[k].ptr()) : nullptr;
    if ((made ? made : PyDict_GetItem(state_.ptr(), names_[k].ptr())) != members_[k].ptr()) return false;
  }
  if (!added_) values_seen_.remember(state_);
  return true;
}

int binding::traverse(visitproc visit, void* arg) const {
  Py_VISIT(parameter_.ptr());
  Py_VISIT(state_.ptr());
  Py_VISIT(added_.ptr());
  for (const py::object& member : members_) Py_VISIT(member.ptr());
  return 0;
}

}  // namespace gradstep
