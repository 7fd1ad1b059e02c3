// The tables of a plan in a device's memory: made, and sent where they differ from what is there.
#pragma once

#include <optional>
#include <vector>

#include "device/upload.h"
#include "plan/device_arrays.h"
#include "plan/device_cut.h"
#include "plan/settings.h"
#include "plan/tensor.h"

namespace gradstep {

class device_tables {
 public:
  explicit device_tables(device_sender& by) : by_(by) {}

  // True if the present cut fits these tensors, at their present addresses, and these groups.
  bool suits(const active_tensors& active, const std::vector<group_settings>& groups) const;
  // Sends the stepping tensors and their chunks, and allocates memory for their sums.
  void cut(const tensor_list& tensors, const std::vector<group_settings>& groups);

  // Sends what can change from step to step, where it has: the gradients' addresses, the groups' settings.
  void renew(const tensor_list& tensors, const std::vector<group_settings>& groups);

  const std::vector<device_launch>& launches() const { return cut_.launches; }
  // True if some elements can't be stored alone, because their format has groups.
  bool has_groups() const { return cut_.has_groups(); }
  // The view of a plan, without the parts that last from step to step.
  const device_plan_view& view() const { return view_; }

  // The launches of a step count thread blocks. If one of them failed, the counters are reset before the next
  // step.
  void open_launches() { launches_are_open_ = true; }
  void close_launches() { launches_are_open_ = false; }
  bool has_open_launches() const { return launches_are_open_; }

 private:
  void take_matrix_memory();
  void send_cut();
  void take_memory();
  void zero_counters();
  void renew_gradients(const tensor_list& tensors);
  void renew_settings(const std::vector<group_settings>& groups);

  device_sender& by_;
  std::vector<int> rules_;  // of the groups
  std::optional<active_tensors> cut_for_;
  device_cut cut_;
  device_arrays arrays_;       // of the tensors, then of the gradients
  size_t tensor_layouts_ = 0;  // the count of the tensors' layouts
  std::vector<device_array> gradients_;
  packed_arrays packed_;  // being sent

  device_table sent_cut_, sent_gradients_, sent_settings_;
  device_memory<memory_kind::on_device> memory_, matrix_memory_;
  device_plan_view view_ = {};
  bool launches_are_open_ = false;
};

}  // namespace gradstep
