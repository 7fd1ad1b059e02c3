// The calls apart from a step over arrays on a device. Each waits until it is done.
#pragma once

#include "python/device.h"
#include "python/device_tables.h"
#include "python/separate.h"

namespace gradstep {

class device_calls : public separate_calls {
 public:
  // `engine` is the engine's capsule. For one thread: its memory is used again by the next call.
  device_calls(const pybind11::capsule& engine, int device) : engine_(engine_of(engine), device) {}
  device_calls(const device_calls&) = delete;  // its parts hold on to each other

 protected:
  device where() const override { return engine_.where(); }
  void prepare(call_arrays& gradients, const gradient_stage& stage) override;
  sums measure(call_arrays& gradients, double by) override;
  sums measure_prepared(call_arrays& gradients, const gradient_stage& stage) override;
  void fill_with_zeros(call_arrays& gradients) override;
  void follow(call_arrays& averages_or_copies, double weight) override;
  void read(void* to, const void* from, size_t bytes, const call_arrays& beside) override;
  void write(void* to, const void* from, size_t bytes, const call_arrays& beside) override;

 private:
  device_turn start(const call_arrays& arrays);
  sums measure(const device_plan_view& plan, double by, void* stream) const;
  // Sends what the device must know of the arrays, calls run(plan, stream) where they have elements, and
  // waits.
  template <class Run>
  void with(call_arrays& arrays, const Run& run);

  device_engine engine_;
  device_sender sender_{engine_};
  device_tables tables_{sender_};
  device_memory<memory_kind::on_device> status_;
};

}  // namespace gradstep
