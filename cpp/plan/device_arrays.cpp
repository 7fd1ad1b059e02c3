#include "plan/device_arrays.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace gradstep {

namespace {

device_layout layout_of(const operand& x) {
  auto made = zeroed<device_layout>();
  made.ndim = int32_t(x.dimensions.size());
  for (size_t d = 0; d < x.dimensions.size(); ++d) {
    made.sizes[d] = x.dimensions[d].size;
    made.strides[d] = x.dimensions[d].stride;
  }
  return made;
}

bool is_aligned(const operand& x, int64_t bytes) {
  return reinterpret_cast<uintptr_t>(x.data) % uintptr_t(bytes) == 0;
}

bool packs_are_aligned(const operand& x, arithmetic type) {
  const int64_t count = type == arithmetic::f64 ? pack_count<double> : stored_pack_count;
  return is_aligned(x, std::min(int64_t(16), count * format_of(x.type).bytes));
}

}  // namespace

device_array device_arrays::describe(const operand& x, const tensor_task& of, const char* what, int index) {
  const arithmetic type = of.type;
  auto made = zeroed<device_array>();
  made.data = x.data;
  made.type = x.type;
  made.second = x.second;
  made.size = of.size;
  made.layout = -1;
  if (!is_aligned(x, format_of(x.type).bytes))
    throw std::invalid_argument(
        std::string(what) + " " + std::to_string(index) +
        " does not lie at a multiple of its numbers' size, where a device could read it: pass a copy");
  made.access.single = !x.second;
  made.access.contiguous = x.direct && !x.second && arithmetic_of(x.type) == type;
  made.access.vectorizable = made.access.contiguous && packs_are_aligned(x, type);
  made.access.native = made.access.contiguous && x.type == native_format(type);
  if (x.direct) return made;
  if (x.dimensions.size() > layout_limit)
    throw std::invalid_argument(std::string(what) + " " + std::to_string(index) + " has " +
                                std::to_string(x.dimensions.size()) +
                                " dimensions that do not lie together, and a device takes " +
                                std::to_string(layout_limit) + ": pass a contiguous copy");
  made.layout = int32_t(layouts_.size());
  layouts_.push_back(layout_of(x));
  return made;
}

device_tensor device_arrays::describe(const tensor& of, int index, int group) {
  const tensor_task& task = of.layout.task;
  auto made = zeroed<device_tensor>();
  made.size = task.size;
  made.index = index;
  made.group = group;
  made.type = task.type;
  made.access = {true, true, true};
  const auto take = [&](const operand& x, const char* what) {
    const device_array array = describe(x, task, what, index);
    made.access = made.access & array.access;
    return array;
  };
  made.parameter = take(task.parameter, "parameter");
  made.state_count = std::max(task.state_count, 0);
  for (int k = 0; k < made.state_count; ++k) made.states[k] = take(task.states[k], "a state of parameter");
  // The kernels for contiguous elements keep one type for all states, which saves registers. A tensor's
  // states differ in type only after someone has replaced one.
  for (int k = 1; k < made.state_count; ++k)
    if (made.states[k].type != made.states[0].type)
      made.access.contiguous = made.access.vectorizable = made.access.native = false;
  if (task.has_average) made.average = take(task.average, "the average of parameter");
  if (task.has_copy) {
    made.copy = describe(task.copy, task, "the copy of parameter", index);
    made.access =
        made.access &
        array_access{task.copy.direct, task.copy.direct && packs_are_aligned(task.copy, task.type), true};
  }
  made.number_count = int32_t(of.time.numbers.size());
  std::copy(of.time.numbers.begin(), of.time.numbers.end(), made.numbers);
  made.average_product = of.time.average_product;
  return made;
}

}  // namespace gradstep
