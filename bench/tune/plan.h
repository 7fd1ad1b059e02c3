// A plan as the core would send it for a step of AdamW: its arrays, full of random numbers, and its tables.
#pragma once

#include "device/table.h"
#include "memory.h"
#include "model.h"

namespace gradstep::GS_TARGET::tune {

class plan {
 public:
  explicit plan(const model& of);

  const device_plan_view& view() const { return view_; }
  const device_step& step() const { return step_; }
  const model& of() const { return model_; }
  const own_stream& stream() const { return stream_; }
  // The four arrays: parameter, gradient, first and second moment, of all tensors with gaps between them.
  static constexpr int arrays = 4;
  const memory& array(int k) const { return arrays_[k]; }
  const memory& copy_source() const { return from_; }
  const memory& copy_target() const { return to_; }
  // Bytes that an update of all elements reads and writes.
  double update_bytes() const { return 7.0 * number_bytes_ * double(model_.elements()); }
  double gradient_bytes() const { return 1.0 * number_bytes_ * double(model_.elements()); }

  // Everything as it was at first.
  void reset() const;
  // The memory that a launch may write, by name.
  struct output {
    const char* name;
    const memory* bytes;
  };
  std::vector<output> outputs() const;

  static size_t bytes_needed(const model& of);

 private:
  void make_tensors();
  void make_groups();
  device_array array_at(int k, int64_t first) const;

  const model model_;
  const int number_bytes_;
  const own_stream stream_;
  memory arrays_[arrays], from_, to_, nodes_, scratch_;
  table<char> cells_;  // each tensor's count of steps
  table<device_tensor> tensors_;
  table<device_array> gradients_;
  table<device_chunk> chunks_;
  table<device_group> groups_;
  table<device_clock> clocks_;
  table<char> rows_;
  table<sums> totals_;
  table<device_report> report_;
  table<unsigned> arrived_;
  device_plan_view view_ = {};
  device_step step_ = {};
};

}  // namespace gradstep::GS_TARGET::tune
