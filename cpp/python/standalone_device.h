// Standalone operations over arrays on a device. Each waits until it is done.
#pragma once

#include "plan/device_tables.h"
#include "python/device.h"
#include "python/standalone.h"

namespace gradstep {

class device_operations : public standalone_operations {
 public:
  // `engine` is the engine's capsule. For one thread: its memory is used again by the next call.
  device_operations(const pybind11::capsule& engine, int device) : engine_(engine_of(engine), device) {}
  device_operations(const device_operations&) = delete;  // its parts hold on to each other

 protected:
  device where() const override { return engine_.where(); }
  void transform(standalone_arrays& gradients, const gradient_transform& stage) override;
  sums sum(standalone_arrays& gradients, double by) override;
  sums sum_transformed(standalone_arrays& gradients, const gradient_transform& stage) override;
  void fill_with_zeros(standalone_arrays& gradients) override;
  void follow(standalone_arrays& averages_or_copies, double weight) override;
  void read(void* to, const void* from, size_t bytes, const standalone_arrays& beside) override;
  void write(void* to, const void* from, size_t bytes, const standalone_arrays& beside) override;

 private:
  device_turn start(const standalone_arrays& arrays);
  sums sum(const device_plan_view& plan, double by, void* stream) const;
  // Sends what the device must know of the arrays, calls run(plan, stream) where they have elements, and
  // waits.
  template <class Run>
  void with(standalone_arrays& arrays, const Run& run);

  device_engine engine_;
  device_sender sender_{engine_};
  device_tables tables_{sender_};
  device_memory<memory_kind::on_device> report_;
};

}  // namespace gradstep
