#include "python/standalone_device.h"

#include <stdexcept>

namespace gradstep {

namespace {

void refuse_captured_call() {
  throw std::runtime_error(
      "calls apart from the step can't be captured in a CUDA graph: ask an optimizer for the same in its "
      "step "
      "(clip_norm, clip_value, ema, cast_to, zero_grad), which can be");
}

device_step scaled_by(double by) {
  device_step step = {};
  step.unscale = by;
  return step;
}

}  // namespace

device_turn device_operations::start(const standalone_arrays& arrays) {
  void* const stream = arrays.empty() ? nullptr : stream_of(engine_, arrays.any());
  if (engine_.is_capturing(stream)) refuse_captured_call();
  return {sender_, stream};
}

template <class Run>
void device_operations::with(standalone_arrays& arrays, const Run& run) {
  if (arrays.empty()) return;
  const selected_device here(engine_);
  const device_turn turn = start(arrays);
  tensor_list tensors;
  for (const tensor_task& task : arrays.tasks()) {
    tensors.all.emplace_back().layout.task = task;
    tensors.activate(int(tensors.all.size()) - 1, 0);
  }
  const std::vector<group_settings> no_settings(1);
  tables_.cut(tensors, no_settings);
  tables_.renew(tensors, no_settings);
  if (!report_.data()) report_ = device_memory<memory_kind::on_device>(engine_, sizeof(device_report));
  const device_report empty = {};
  sender_.send(report_.data(), &empty, sizeof empty);
  device_plan_view plan = tables_.view();
  plan.report = reinterpret_cast<device_report*>(report_.data());
  if (plan.chunk_count > 0) run(plan, sender_.stream());
  engine_.wait(sender_.stream());
}

void device_operations::transform(standalone_arrays& gradients, const gradient_transform& stage) {
  with(gradients, [&](const device_plan_view& plan, void* stream) {
    engine_.check(engine_->transform_gradients(plan, stage, stream));
  });
}

sums device_operations::sum(const device_plan_view& plan, double by, void* stream) const {
  device_report found = {};
  engine_.check(engine_->sum_gradients(plan, scaled_by(by), stream));
  engine_.fetch(&found, plan.report, sizeof found, stream);
  return found.all;
}

sums device_operations::sum(standalone_arrays& gradients, double by) {
  sums found;
  with(gradients, [&](const device_plan_view& plan, void* stream) { found = sum(plan, by, stream); });
  return found;
}

sums device_operations::sum_transformed(standalone_arrays& gradients, const gradient_transform& stage) {
  sums found;
  with(gradients, [&](const device_plan_view& plan, void* stream) {
    engine_.check(engine_->transform_gradients(plan, stage, stream));
    found = sum(plan, 1, stream);
  });
  return found;
}

void device_operations::fill_with_zeros(standalone_arrays& gradients) {
  with(gradients, [&](const device_plan_view& plan, void* stream) {
    engine_.check(engine_->zero_gradients(plan, stream));
  });
}

void device_operations::follow(standalone_arrays& averages_or_copies, double weight) {
  with(averages_or_copies, [&](const device_plan_view& plan, void* stream) {
    engine_.check(engine_->follow_parameters(plan, weight, stream));
  });
}

void device_operations::read(void* to, const void* from, size_t bytes, const standalone_arrays& beside) {
  const selected_device here(engine_);
  const device_turn turn = start(beside);
  engine_.fetch(to, from, bytes, sender_.stream());
}

void device_operations::write(void* to, const void* from, size_t bytes, const standalone_arrays& beside) {
  const selected_device here(engine_);
  const device_turn turn = start(beside);
  sender_.send(to, from, bytes);
  engine_.wait(sender_.stream());
}

}  // namespace gradstep
