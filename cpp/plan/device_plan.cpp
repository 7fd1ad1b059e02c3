#include "plan/device_plan.h"

#include <algorithm>
#include <stdexcept>

#include "host/simd/dispatch.h"
#include "plan/rule_reductions.h"

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
  step.stats = options.stats;
  // A descent along whole directions comes after the gradients have been used up.
  step.knows_norm = has_gradients &&
                    (needs_gradient_norm(groups, options) || (options.stats && has_whole_directions(groups)));
  step.lagged = options.known_norm >= 0;
  step.ahead = options.ahead;
  return step;
}

[[noreturn]] void refuse_change() {
  throw std::runtime_error(
      "other tensors or states than those of the step that is captured in a CUDA graph: make a new "
      "optimizer, give it this one's state, and capture its step");
}

}  // namespace

void refuse_to_capture() {
  throw std::runtime_error(
      "a step whose states and tables are not made yet can't be captured in a CUDA graph, which gives no "
      "memory: make a step with the same parameters and options before the capture");
}

device_plan::~device_plan() {
  try {
    sender_.wait();
  } catch (const std::exception&) {  // the process may be ending, and the device with it
  }
}

device_tables& device_plan::prepare(const std::vector<group_settings>& groups, const step_settings& options) {
  tensors_.commit_layout();
  const active_tensors& active = tensors_.active;
  device_tables& tables =
      options.ahead ? tables_of_one_.try_emplace(active.indices.at(0), sender_).first->second : tables_;
  if (!tables.suits(active, groups)) {
    if (captured_) refuse_change();
    if (sender_.is_capturing()) refuse_to_capture();
    upload_clocks();
    tables.cut(tensors_, groups);
  }
  if (!started_) send_report();
  if (tables.has_open_launches() && sender_.is_capturing()) refuse_to_capture();
  if (tables.has_groups() && (options.stats || has_whole_directions(groups)))
    throw std::invalid_argument(
        "where a state is kept in a format with groups, a device forms neither the sums of an update nor "
        "whole "
        "directions");
  tables.renew(tensors_, groups);
  if (options.joins && options.stats) prepare_joining();
  captured_ |= sender_.is_capturing();
  return tables;
}

void device_plan::upload_clocks() {
  const size_t bytes = tensors_.all.size() * sizeof(device_clock);
  if (bytes > clocks_.size()) {
    std::vector<char> known(clocks_.size());
    if (!known.empty()) engine_.fetch(known.data(), clocks_.data(), known.size(), sender_.stream());
    device_memory<memory_kind::on_device> larger(engine_, bytes);
    if (!known.empty()) sender_.send(larger.data(), known.data(), known.size());
    clocks_ = std::move(larger);
  }
  for (const int index : tensors_.active.indices) {
    tensor_time& time = tensors_[index].time;
    if (time.on_device) continue;
    const device_clock clock = {time.t, time.fresh, {}};
    sender_.send(clocks_.data() + size_t(index) * sizeof clock, &clock, sizeof clock);
    time.on_device = true;
  }
}

void device_plan::launch(device_tables& tables, const std::vector<group_settings>& groups,
                         const step_settings& options) {
  launch_kernels(tables, groups, options);
  if (options.stats)
    for (const int index : tensors_.active.indices) tensors_[index].report.on_device = true;
  last_ = options;
  if (options.joins) join_reports(tables);
}

void device_plan::launch_kernels(device_tables& tables, const std::vector<group_settings>& groups,
                                 const step_settings& options) {
  const device_plan_view plan = view(tables);
  const bool has_gradients = plan.chunk_count > 0;
  const device_step step = asked(groups, options, has_gradients);
  void* const stream = sender_.stream();
  tables.open_launches();
  if (step.knows_norm) engine_.check(engine_->sum_gradients(plan, step, stream));
  if (has_gradients && has_rule_reductions(groups)) {
    engine_.check(engine_->prepare(plan, step, true, stream));
    for (const device_launch& each : tables.launches())
      if (active_target().rules[each.rule].bodies[0].measure)
        engine_.check(engine_->measure_rule(plan, each, stream));
  }
  engine_.check(engine_->prepare(plan, step, false, stream));
  for (const device_launch& each : tables.launches())
    engine_.check(engine_->update(plan, step, each, stream));
  tables.close_launches();
}

device_plan_view device_plan::view(const device_tables& tables) const {
  device_plan_view plan = tables.view();
  plan.clocks = reinterpret_cast<device_clock*>(clocks_.data());
  plan.report = reinterpret_cast<device_report*>(report_.data());
  return plan;
}

void device_plan::start_from(int64_t updates, double last_norm) {
  first_.updates = updates;
  first_.last_norm = last_norm;
  started_ = false;
}

void device_plan::send_report() {
  if (sender_.is_capturing()) refuse_to_capture();
  if (!report_.data()) report_ = device_memory<memory_kind::on_device>(engine_, sizeof(device_report));
  sender_.send(report_.data(), &first_, sizeof first_);
  started_ = true;
}

void device_plan::prepare_joining() {
  std::vector<char> joins;
  for (const tensor& each : tensors_.all) joins.push_back(each.report.on_device);
  for (const int index : tensors_.active.indices) joins[size_t(index)] = true;
  joined_tensors_.clear();
  for (size_t i = 0; i < joins.size(); ++i)
    if (joins[i]) joined_tensors_.push_back(int32_t(i));
  if (const size_t bytes = tensors_.all.size() * sizeof(sums); bytes > joining_.size()) {
    if (sender_.is_capturing()) refuse_to_capture();
    sender_.replace(joining_, bytes);
  }
  packed_arrays packed;
  packed.append(joined_tensors_);
  joined_.hold(packed.bytes(), sender_);
}

void device_plan::join_reports(const device_tables& tables) {
  if (!last_.stats) return;
  device_plan_view plan = view(tables);
  plan.scratch = reinterpret_cast<sums*>(joining_.data());
  engine_.check(engine_->join_reports(plan, joined_.at<int32_t>(0), int(joined_tensors_.size()),
                                      last_.known_norm >= 0, sender_.stream()));
  for (tensor& each : tensors_.all) each.report.on_device = false;
  last_.stats = !joined_tensors_.empty();
}

device_report device_plan::fetch_report(void* stream) {
  device_report found = first_;
  if (started_) fetch(&found, report_.data(), sizeof found, stream);
  return found;
}

void device_plan::fetch(void* to, const void* from, size_t bytes, void* stream) {
  const turn now(*this, stream);
  engine_.fetch(to, from, bytes, stream);
}

std::vector<int> device_plan::not_updated(void* stream) {
  std::vector<int> found;
  if (captured_ || !started_) return found;
  std::vector<device_clock> clocks(clocks_.size() / sizeof(device_clock));
  fetch(clocks.data(), clocks_.data(), clocks_.size(), stream);
  for (size_t i = 0; i < tensors_.all.size(); ++i)
    if (tensors_.all[i].time.on_device && clocks[i].fresh) found.push_back(int(i));
  return found;
}

step_report device_plan::report(void* stream) {
  const device_report found = fetch_report(stream);
  step_report report;
  report.skipped = found.skipped;
  report.take_gradients(found.all);
  if (last_.stats && !found.skipped) report.take_change(found.all);
  return report;
}

}  // namespace gradstep
