// The description of a tensor's arrays for a device.
#pragma once

#include <cstring>
#include <vector>

#include "device/table.h"
#include "plan/tensor.h"

namespace gradstep {

// Zeroes the padding too, so that equal tables are equal bytes.
template <class T>
T zeroed() {
  T made;
  std::memset(static_cast<void*>(&made), 0, sizeof made);
  return made;
}

// Describes arrays, and lists the layouts of those that are not one contiguous run.
class device_arrays {
 public:
  // Describes an array of the parameter of this index; messages call it `what`.
  device_array describe(const operand& x, const tensor_task& of, const char* what, int index);
  device_tensor describe(const tensor& of, int index, int group);

  const std::vector<device_layout>& layouts() const { return layouts_; }
  void forget_layouts(size_t from) { layouts_.resize(from); }

 private:
  std::vector<device_layout> layouts_;
};

}  // namespace gradstep
