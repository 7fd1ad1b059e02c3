// Standalone operations over arrays in the host's memory.
#pragma once

#include "python/standalone.h"

namespace gradstep {

class host_operations : public standalone_operations {
 public:
  explicit host_operations(int threads) : threads_(threads) {}

 protected:
  device where() const override { return host_memory; }
  void transform(standalone_arrays& gradients, const gradient_transform& stage) override;
  sums sum(standalone_arrays& gradients, double by) override;
  sums sum_transformed(standalone_arrays& gradients, const gradient_transform& stage) override;
  void fill_with_zeros(standalone_arrays& gradients) override;
  void follow(standalone_arrays& averages_or_copies, double weight) override;
  void read(void* to, const void* from, size_t bytes, const standalone_arrays&) override;
  void write(void* to, const void* from, size_t bytes, const standalone_arrays&) override;

 private:
  int threads_;
};

}  // namespace gradstep
