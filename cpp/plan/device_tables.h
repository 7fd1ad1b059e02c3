// What a device sees of a plan, made from its tensors and groups.
#pragma once

#include <optional>
#include <vector>

#include "device/upload.h"
#include "plan/settings.h"
#include "plan/tensor.h"

namespace gradstep {

// The programs of schedules, one behind the other.
struct program_pool {
  std::vector<instruction> instructions;
  std::vector<double> numbers;

  void add(const schedule& program) {
    instructions.insert(instructions.end(), program.code().begin(), program.code().end());
    numbers.insert(numbers.end(), program.numbers().begin(), program.numbers().end());
  }
};

class device_tables {
 public:
  explicit device_tables(device_sender& by) : by_(by) {}

  // Whether the cut is one of these tensors, where they lie now, for these groups.
  bool suits(const active_tensors& active, const std::vector<group_settings>& groups) const;
  // Sends which tensors step and the chunks that they are cut into, and takes the memory for their sums.
  void cut(const tensor_list& tensors, const std::vector<group_settings>& groups);

  // Sends what may differ from step to step, where it does: the gradients' places, the groups' settings.
  void renew(const tensor_list& tensors, const std::vector<group_settings>& groups);

  const std::vector<device_launch>& launches() const { return launches_; }
  // Whether elements of a tensor can't be stored alone, since a format has groups.
  bool has_groups() const;
  // But for what is kept from step to step.
  const device_plan_view& view() const { return view_; }

  // The launches of a step count thread blocks. Where not all of them could be made, the counters begin anew.
  void open_launches() { launches_are_open_ = true; }
  void close_launches() { launches_are_open_ = false; }
  bool has_open_launches() const { return launches_are_open_; }

 private:
  struct range {
    int32_t first, last;
  };

  device_array place(const operand& x, const tensor_task& of, const char* what, int index);
  device_tensor describe(const tensor& of, int index, int group);
  void find_ranges();
  void cut_chunks(const tensor_list& tensors);
  void cut_matrix(const tensor& of, int tensor);
  void take_matrix_memory();
  size_t place_matrices(char* memory);
  void send_cut();
  void take_memory();
  void zero_counters();
  void divide_chunks();
  void find_reaches();
  void renew_gradients(const tensor_list& tensors);
  void renew_settings(const std::vector<group_settings>& groups);
  device_group describe(const group_settings& settings, int group) const;
  device_source describe(const number_source& source);

  device_sender& by_;
  std::vector<int> rules_;     // of the groups
  std::vector<range> ranges_;  // of the groups' tensors
  std::optional<active_tensors> cut_for_;
  std::vector<device_tensor> tensors_;
  std::vector<device_chunk> chunks_;
  std::vector<device_matrix> matrices_;
  std::vector<device_band> bands_;
  std::vector<device_array> directions_;
  std::vector<device_launch> launches_;
  std::vector<int32_t> launch_of_;      // each of these tensors; below 0 where it has no elements
  std::vector<device_layout> layouts_;  // of the tensors' arrays, then of the gradients
  size_t tensor_layouts_ = 0;
  std::vector<device_array> places_;  // of the gradients
  program_pool programs_;             // of the schedules
  packed_arrays packed_;              // on its way

  device_table cut_, gradients_, settings_;
  device_memory<memory_kind::on_device> memory_, matrix_memory_;
  device_plan_view view_ = {};
  bool launches_are_open_ = false;
};

}  // namespace gradstep
