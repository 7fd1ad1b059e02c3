#include "sharing.h"

#include <algorithm>

namespace py = pybind11;

namespace gradstep {

void refuse_overlap(const std::vector<array_view>& views, const std::vector<array_role>& roles) {
  const auto [first, second] = find_overlap(views);
  if (first < 0) return;
  const std::string name = roles[size_t(first)].text();
  if (first == second)
    throw py::value_error(
        name + " overlaps itself (an expanded or sliding view): pass a copy, or the array that it views");
  throw py::value_error(name + " and " + roles[size_t(second)].text() +
                        " share memory: pass each element once");
}

void refuse_shared(const std::deque<slot>& slots, const std::vector<int>& active) {
  std::vector<array_view> views;
  std::vector<array_role> roles;
  for (const int each : active) {
    views.push_back(slots[size_t(each)].view);
    roles.push_back({"parameter", each});
  }
  refuse_overlap(views, roles);
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
  std::vector<array_role> roles;
  std::vector<py::object> owners;
  for (const py::handle parameter : parameters) {
    const int index = int(roles.size());
    roles.push_back({"parameter", index});
    views.push_back(read_parameter(parameter, index, owners));
    inspect_tensor(parameter, roles.back());
  }
  refuse_overlap(views, roles);
}

}  // namespace gradstep
