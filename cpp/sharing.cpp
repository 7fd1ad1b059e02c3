#include "sharing.h"

#include <algorithm>

namespace py = pybind11;

namespace gradstep {

namespace {

// `numbers` are the views' places among all parameters.
void refuse_overlap(const std::vector<array_view>& views, const std::vector<int>& numbers) {
  const auto [first, second] = find_overlap(views);
  if (first < 0) return;
  const std::string name = "parameter " + std::to_string(numbers[size_t(first)]);
  if (first == second)
    throw py::value_error(
        name + " overlaps itself (an expanded or sliding view): pass a copy, or the array that it views");
  throw py::value_error(name + " and parameter " + std::to_string(numbers[size_t(second)]) +
                        " share memory: pass each element once");
}

}  // namespace

void refuse_shared(const std::deque<slot>& slots, const std::vector<int>& active) {
  std::vector<array_view> views;
  for (const int each : active) views.push_back(slots[size_t(each)].view);
  refuse_overlap(views, active);
}

void refuse_shared_zeroed(std::deque<slot>& slots, const std::vector<int>& active,
                          const std::vector<int>& zeroed) {
  const auto moved = [&](int index) { return slots[size_t(index)].gradient_moved; };
  if (std::none_of(zeroed.begin(), zeroed.end(), moved)) return;
  std::vector<array_view> views;
  for (const int index : zeroed) {
    views.push_back(slots[size_t(index)].gradient_view);
    if (!views.back().writable)
      throw py::value_error("the gradient of parameter " + std::to_string(index) +
                            " is read-only: pass one that can be written, or zero_grad=False");
  }
  for (const int index : active) views.push_back(slots[size_t(index)].view);
  const auto [first, second] = find_overlap(views);
  if (first >= 0 && first < int(zeroed.size()))
    throw py::value_error(
        "the gradient of parameter " + std::to_string(zeroed[size_t(first)]) +
        " shares memory with itself, another gradient or a parameter, so it can't be zeroed: "
        "pass a copy, or zero_grad=False");
  for (const int index : zeroed) slots[size_t(index)].gradient_moved = false;
}

void check_parameters(const py::list& parameters) {
  std::vector<array_view> views;
  std::vector<int> numbers;
  std::vector<py::object> owners;
  const device where = common_device(parameters);
  for (const py::handle parameter : parameters) {
    numbers.push_back(int(numbers.size()));
    const array_role role = {"parameter", numbers.back(), where};
    views.push_back(read_parameter(parameter, role, owners));
    inspect_tensor(parameter, role);
  }
  refuse_overlap(views, numbers);
}

}  // namespace gradstep
