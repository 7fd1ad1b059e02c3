// The step of an optimizer whose tensors are on a device: their objects read, then the plan's step.
#pragma once

#include <pybind11/cast.h>

#include <optional>
#include <vector>

#include "plan/device_plan.h"
#include "python/bindings.h"
#include "python/device.h"

namespace gradstep {

class device_stepper : public bindings {
 public:
  // `engine` is the engine's capsule.
  device_stepper(const pybind11::capsule& engine, int device)
      : bindings({engine_of(engine).device_type, device}, false),
        plan_(tensors_, engine_of(engine), device) {}

  // As `host_stepper::step`. Whether the device skips the update for what it finds in its own memory is not
  // known here, but of the step before, for which this waits where it may be skipped.
  pybind11::list step(const step_arguments& given, const step_books& books,
                      const earlier_step<device_stepper>& before);

  // No rows lag on a device.
  void catch_up(const std::vector<int>&, const pybind11::object&, int) {}

  void start_from(int64_t updates, double last_norm) { plan_.start_from(updates, last_norm); }
  bool skipped() const { return plan_.skipped(); }
  // Of the stream that a step of this parameter would go to.
  bool is_capturing_of(const pybind11::object& parameter) const {
    return is_capturing(stream_of(plan_.on(), parameter));
  }
  // These wait for the device, and are refused while a graph is captured.
  step_report report() { return plan_.report(stream_to_wait_for()); }
  int64_t updates() { return plan_.updates(stream_to_wait_for()); }
  double last_norm() { return plan_.last_norm(stream_to_wait_for()); }
  std::vector<int> not_updated() { return plan_.not_updated(stream_to_wait_for()); }

  // Of one number on the device; nothing for anything else. A graph that the next step is captured in keeps
  // it alive.
  std::optional<scalar_ref> find_scalar(const pybind11::object& number);

  int traverse(visitproc visit, void* arg) const;
  void clear();

 private:
  friend class read_step<device_stepper>;
  pybind11::list read(const step_arguments& given, owners& keep);
  void* stream() const;
  bool is_capturing(void* stream) const;
  void* stream_to_wait_for() const;

  device_plan plan_;
  owners scalars_;   // found for the next step
  owners in_graph_;  // read by each replay, though others may have taken their places
};

// Python's, of which it is the inside.
pybind11::object object_of(device_stepper& plan);

}  // namespace gradstep
