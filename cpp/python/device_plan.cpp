#include "python/device_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "host/simd/dispatch.h"
#include "python/measuring.h"

namespace py = pybind11;

namespace gradstep {

namespace {

device_step asked(const std::vector<group_settings>& groups, const step_settings& options,
                  bool has_gradients) {
  device_step step = {};
  step.unscale = options.unscale;
  step.grad_scale = options.grad_scale;
  step.found_inf = options.found_inf;
  step.skip = options.skip;
  step.skip_nonfinite = options.skip_nonfinite && has_gradients;
  step.measure = options.measure;
  step.knows_norm = has_gradients && must_measure_gradients(groups, options);
  step.lagged = options.known_norm >= 0;
  step.ahead = options.ahead;
  return step;
}

[[noreturn]] void refuse_to_capture() {
  throw std::runtime_error(
      "a step whose states and tables are not made yet can't be captured in a CUDA graph, which gives no "
      "memory: make a step with the same parameters and options before the capture");
}

[[noreturn]] void refuse_change() {
  throw std::runtime_error(
      "other tensors or states than those of the step that is captured in a CUDA graph: make a new "
      "optimizer, let it load this one's state_dict, and capture its step");
}

}  // namespace

device_plan::device_plan(const py::capsule& engine, int device)
    : tensors({engine_of(engine).device_type, device}, false), engine_(engine_of(engine), device) {}

device_plan::~device_plan() {
  try {
    sender_.wait();
  } catch (const std::exception&) {  // the process may be ending, and the device with it
  }
}

void* device_plan::stream() const {
  for (const slot& each : slots_)
    if (each.parameter) return stream_of(engine_, each.parameter);
  return nullptr;
}

py::list device_plan::step(const step_arguments& given, const step_books& books,
                           const earlier_step<device_plan>& before) {
  const step_scope scope(*this, given);
  std::optional<step_scope> scope_before;
  std::vector<py::object> kept_alive;
  if (before.by) {
    scope_before.emplace(*before.by, before.given);
    before.by->read(before.given, kept_alive);
  }
  py::list unbound = read(given, kept_alive);
  if (!unbound.empty() && !given.options.skip) return unbound;
  const selected_device here(engine_);
  const device_turn turn(sender_, stream());
  device_tables& tables = prepare_tables(given.groups, given.options);
  step_settings options = given.options;
  if (before.by) {
    device_plan& by = *before.by;
    const device_turn turn_before(by.sender_, by.stream());
    by.update(by.prepare_tables(before.given.groups, before.given.options), before.given,
              before.given.options, {});
    options.skip |= before.given.options.skip_nonfinite && by.report().skipped;
  }
  update(tables, given, options, options.skip ? books.skipped : books.updated);
  if (sender_.is_capturing()) {
    keep_gradients(kept_alive);
    in_graph_.insert(in_graph_.end(), kept_alive.begin(), kept_alive.end());
  }
  return py::list();
}

py::list device_plan::read(const step_arguments& given, std::vector<py::object>& keep) {
  for (py::object& each : std::exchange(cells_, {})) keep.push_back(std::move(each));
  py::list unbound = read_all(given, keep);
  if (!unbound.empty() && is_capturing()) refuse_to_capture();
  return unbound;
}

void device_plan::update(const device_tables& tables, const step_arguments& given,
                         const step_settings& options, const bookkeeping& books) {
  count(given, books, !options.skip);
  launch(tables, given.groups, options);
  if (options.measure)
    for (const int index : active_.indices) slots_[size_t(index)].to_be_joined = true;
  last_ = options;
  if (options.joins) join_reports(tables);
}

device_tables& device_plan::prepare_tables(const std::vector<group_settings>& groups,
                                           const step_settings& options) {
  settle();
  device_tables& tables =
      options.ahead ? tables_of_one_.try_emplace(active_.indices.at(0), sender_).first->second : tables_;
  if (!tables.suits(active_, groups)) {
    if (captured_) refuse_change();
    if (sender_.is_capturing()) refuse_to_capture();
    take_up_moments();
    tables.cut(slots_, active_, groups);
    miscounted_ = true;
  }
  if (!started_) send_report();
  if (miscounted_) forget_count();
  tables.renew(slots_, active_.indices, groups);
  if (options.joins && options.measure) prepare_joining();
  captured_ |= sender_.is_capturing();
  return tables;
}

void device_plan::take_up_moments() {
  const size_t bytes = slots_.size() * sizeof(device_moment);
  if (bytes > moments_.size()) {
    std::vector<char> known(moments_.size());
    if (!known.empty()) engine_.fetch(known.data(), moments_.data(), known.size(), sender_.stream());
    device_memory<memory_kind::on_device> larger(engine_, bytes);
    if (!known.empty()) sender_.send(larger.data(), known.data(), known.size());
    moments_ = std::move(larger);
  }
  for (const int index : active_.indices) {
    slot& tensor = slots_[size_t(index)];
    if (tensor.timed_by_device) continue;
    const device_moment moment = {tensor.t, tensor.fresh, {}};
    sender_.send(moments_.data() + size_t(index) * sizeof moment, &moment, sizeof moment);
    tensor.timed_by_device = true;
  }
}

void device_plan::launch(const device_tables& tables, const std::vector<group_settings>& groups,
                         const step_settings& options) {
  const device_plan_view plan = view(tables);
  const bool has_gradients = plan.chunk_count > 0;
  const device_step step = asked(groups, options, has_gradients);
  void* const stream = sender_.stream();
  miscounted_ = true;
  if (step.knows_norm) engine_.check(engine_->measure_gradients(plan, step, stream));
  if (has_gradients && rule_measures(groups)) {
    engine_.check(engine_->prepare(plan, step, true, stream));
    for (const device_launch& each : tables.launches())
      if (active_target().rules[each.rule].bodies[0].measure)
        engine_.check(engine_->measure_rule(plan, each, stream));
  }
  engine_.check(engine_->prepare(plan, step, false, stream));
  for (const device_launch& each : tables.launches())
    engine_.check(engine_->update(plan, step, each, stream));
  miscounted_ = false;
}

device_plan_view device_plan::view(const device_tables& tables) const {
  device_plan_view plan = tables.view();
  auto* const status = reinterpret_cast<device_status*>(report_.data());
  plan.moments = reinterpret_cast<device_moment*>(moments_.data());
  plan.report = &status->report;
  plan.arrived = &status->arrived;
  return plan;
}

void device_plan::start_from(int64_t updates, double last_norm) {
  first_.updates = updates;
  first_.last_norm = last_norm;
  started_ = false;
}

void device_plan::send_report() {
  if (sender_.is_capturing()) refuse_to_capture();
  if (!report_.data()) report_ = device_memory<memory_kind::on_device>(engine_, sizeof(device_status));
  const device_status status = {first_, 0};
  sender_.send(report_.data(), &status, sizeof status);
  started_ = true;
}

void device_plan::forget_count() {
  if (sender_.is_capturing()) refuse_to_capture();
  constexpr unsigned none = 0;
  sender_.send(&reinterpret_cast<device_status*>(report_.data())->arrived, &none, sizeof none);
}

bool device_plan::is_capturing() const {
  const selected_device here(engine_);
  return engine_.is_capturing(stream());
}

std::optional<scalar_ref> device_plan::find_scalar(const py::object& number) {
  array_view view;
  if (!read_directly(number, view) || view.where != engine_.where()) return std::nullopt;
  const std::optional<scalar_ref> cell = scalar_of(view);
  if (cell) cells_.push_back(number);
  return cell;
}

int device_plan::traverse(visitproc visit, void* arg) const {
  for (const auto* kept : {&cells_, &in_graph_})
    for (const py::object& each : *kept) Py_VISIT(each.ptr());
  return tensors::traverse(visit, arg);
}

void device_plan::clear() {
  cells_.clear();
  in_graph_.clear();
  tensors::clear();
}

void device_plan::prepare_joining() {
  std::vector<char> joins;
  for (const slot& each : slots_) joins.push_back(each.to_be_joined);
  for (const int index : active_.indices) joins[size_t(index)] = true;
  joined_tensors_.clear();
  for (size_t i = 0; i < joins.size(); ++i)
    if (joins[i]) joined_tensors_.push_back(int32_t(i));
  if (const size_t bytes = slots_.size() * sizeof(sums); bytes > joining_.size()) {
    if (sender_.is_capturing()) refuse_to_capture();
    sender_.replace(joining_, bytes);
  }
  packed_arrays packed;
  packed.append(joined_tensors_);
  joined_.hold(packed.bytes(), sender_);
}

void device_plan::join_reports(const device_tables& tables) {
  if (!last_.measure) return;
  device_plan_view plan = view(tables);
  plan.scratch = reinterpret_cast<sums*>(joining_.data());
  engine_.check(engine_->join_reports(plan, joined_.at<int32_t>(0), int(joined_tensors_.size()),
                                      last_.known_norm >= 0, sender_.stream()));
  for (slot& each : slots_) each.to_be_joined = false;
  last_.measure = !joined_tensors_.empty();
}

device_report device_plan::fetch_report() {
  device_report found = first_;
  if (started_) fetch(&found, report_.data(), sizeof found);
  return found;
}

void device_plan::fetch(void* to, const void* from, size_t bytes) {
  if (is_capturing())
    throw std::runtime_error(
        "what the device has counted and measured can't be waited for while a CUDA graph is captured: ask "
        "for it (stats, state_dict, a copy) before or after the capture");
  const selected_device here(engine_);
  const device_turn turn(sender_, stream());
  engine_.fetch(to, from, bytes, sender_.stream());
}

std::vector<int> device_plan::not_updated() {
  std::vector<int> found;
  if (captured_ || !started_) return found;
  std::vector<device_moment> moments(moments_.size() / sizeof(device_moment));
  fetch(moments.data(), moments_.data(), moments_.size());
  for (size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].timed_by_device && moments[i].fresh) found.push_back(int(i));
  return found;
}

step_report device_plan::report() {
  const device_report found = fetch_report();
  step_report report;
  report.skipped = found.skipped;
  report.measured = last_.measure && !found.skipped;
  report.nonfinite = found.all.nonfinite;
  report.gradient_norm = std::sqrt(found.all.gradient);
  if (!report.measured) return report;
  report.update_norm = std::sqrt(found.all.change);
  report.parameter_norm = std::sqrt(found.all.parameter);
  return report;
}

int64_t device_plan::updates() { return fetch_report().updates; }

double device_plan::last_norm() { return fetch_report().last_norm; }

}  // namespace gradstep
