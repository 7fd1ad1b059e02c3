// The tensors of a step cut into the work of a device's thread blocks, and their places in its tables.
#pragma once

#include <vector>

#include "device/engine_api.h"
#include "plan/device_arrays.h"
#include "plan/settings.h"
#include "plan/tensor.h"

namespace gradstep {

struct device_cut {
  struct range {
    int32_t first, last;
  };

  std::vector<device_tensor> tensors;  // group after group
  std::vector<range> ranges;           // of the groups' tensors
  std::vector<device_chunk> chunks;
  std::vector<device_matrix> matrices;
  std::vector<device_band> bands;
  std::vector<device_array> directions;
  std::vector<device_launch> launches;
  std::vector<int32_t> launch_of;  // each of these tensors; below 0 where it has no elements

  // Cuts the active tensors. Their layouts are added to `arrays`.
  void make(const tensor_list& of, const std::vector<group_settings>& groups, device_arrays& arrays);

  // Assigns the numbers, sums and directions of matrices their places in this memory, and returns its size in
  // bytes. With null it only returns the size.
  size_t place_matrices(char* memory);

  // Finds how each launch reaches its elements. It can differ from step to step, with the layout of the
  // gradients.
  void find_reaches(const std::vector<device_array>& gradients);

  // True if some elements can't be stored alone, because their format has groups.
  bool has_groups() const;
  // The number of tensors that have elements.
  int32_t summed_count() const;

 private:
  void find_ranges();
  void cut_chunks(const tensor_list& of, const std::vector<group_settings>& groups, device_arrays& arrays);
  void cut_matrix(const tensor& of, int tensor, device_arrays& arrays);
  void divide_chunks();
};

}  // namespace gradstep
