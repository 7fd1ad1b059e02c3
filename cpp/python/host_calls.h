// The calls apart from a step over arrays in the host's memory.
#pragma once

#include "python/separate.h"

namespace gradstep {

class host_calls : public separate_calls {
 public:
  explicit host_calls(int threads) : threads_(threads) {}

 protected:
  device where() const override { return host_memory; }
  void prepare(call_arrays& gradients, const gradient_stage& stage) override;
  sums measure(call_arrays& gradients, double by) override;
  sums measure_prepared(call_arrays& gradients, const gradient_stage& stage) override;
  void fill_with_zeros(call_arrays& gradients) override;
  void follow(call_arrays& averages_or_copies, double weight) override;
  void read(void* to, const void* from, size_t bytes, const call_arrays&) override;
  void write(void* to, const void* from, size_t bytes, const call_arrays&) override;

 private:
  int threads_;
};

}  // namespace gradstep
