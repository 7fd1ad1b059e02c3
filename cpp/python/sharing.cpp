#include "python/sharing.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>

namespace py = pybind11;

namespace gradstep {

namespace {

[[noreturn]] void refuse_unsure(const std::string& first, const std::string& second) {
  const std::string question =
      first == second ? first + " repeats its own elements" : first + " and " + second + " share memory";
  throw py::value_error("whether " + question + " can't be told within " + std::to_string(search_limit) +
                        " steps of a search through their strides: pass contiguous copies");
}

[[noreturn]] void refuse_repeated(const std::string& name) {
  throw py::value_error(
      name + " overlaps itself (an expanded or sliding view): pass a copy, or the array that it views");
}

// A member of a tensor's state, by its number, or one of these.
constexpr int the_parameter = -3, the_gradient = -2, the_zeroed_gradient = -1;

struct part {
  int tensor, member;
};

// The arrays of some tensors, and what each of them is.
class array_list {
 public:
  explicit array_list(const std::deque<slot>& slots) : slots_(&slots) {}

  void add_written(int tensor) {
    const slot& from = (*slots_)[size_t(tensor)];
    const tensor_task& task = from.task;
    add({tensor, the_parameter}, task.parameter, true, tensor);
    if (task.state_count < 0) return;  // it has no states yet
    int member = 0;
    for (int k = 0; k < task.state_count; ++k) add({tensor, member++}, task.states[k], true);
    if (task.has_average) add({tensor, member++}, task.average, true);
    if (task.has_copy) add({tensor, member++}, task.copy, true);
    for (const scalar_ref& cell : from.cells) add_number({tensor, member++}, cell);
    if (from.average_product.data) add_number({tensor, member++}, from.average_product);
  }

  void add_gradient(int tensor, bool zeroed) {
    add({tensor, zeroed ? the_zeroed_gradient : the_gradient}, (*slots_)[size_t(tensor)].task.gradient,
        zeroed, zeroed ? -1 : tensor);
  }

  std::optional<sharing_pair> find() const { return find_sharing(arrays_); }

  // Raises for the pair.
  [[noreturn]] void refuse(const sharing_pair& found) const {
    part subject = parts_[size_t(found.first)], other = parts_[size_t(found.second)];
    if (speaks_for_both(other) > speaks_for_both(subject)) std::swap(subject, other);
    const std::string mine = name(subject), others = name(other);
    if (found.unsure) refuse_unsure(mine, others);
    const bool alone = found.first == found.second;
    if (subject.member == the_zeroed_gradient)
      throw py::value_error(
          mine +
          (alone ? " overlaps itself (an expanded or sliding view)" : " shares memory with " + others) +
          ", so it can't be zeroed: pass a copy, or zero_grad=False");
    if (alone) refuse_repeated(mine);
    if (subject.member == the_gradient) {
      const bool own = subject.tensor == other.tensor && other.member == the_parameter;
      throw py::value_error(mine + " shares memory with " + others + (own ? " in another order" : "") +
                            ": pass a copy");
    }
    if (subject.member == the_parameter)
      throw py::value_error(mine + " and " + others + " share memory: pass each element once");
    throw py::value_error(mine + " shares memory with " + others + ": give it memory of its own, a copy");
  }

  std::vector<extent> written_extents() const {
    std::vector<extent> found;
    found.reserve(arrays_.size());
    for (size_t i = 0; i < arrays_.size(); ++i)
      if (parts_[i].member >= 0 || parts_[i].member == the_parameter) found.push_back(extent_of(arrays_[i]));
    return found;
  }

 private:
  static constexpr int of_numbers = std::numeric_limits<int>::max();  // the mate of all numbers

  void add(part what, const operand& x, bool written, int mate = -1) {
    std::span<const dimension> dimensions = x.dimensions;
    if (x.rows) {
      std::vector<dimension>& all = of_rows_.emplace_back(x.leading);
      all.insert(all.end(), x.dimensions.begin(), x.dimensions.end());
      dimensions = all;
    }
    arrays_.emplace_back(x.data, x.type, dimensions, written, mate);
    parts_.push_back(what);
  }

  // Once, however many states share it.
  void add_number(part what, const scalar_ref& cell) {
    if (!numbers_.emplace(cell.data, cell.type).second) return;
    arrays_.emplace_back(cell.data, cell.type, std::span<const dimension>(), true, of_numbers);
    parts_.push_back(what);
  }

  // A refusal is about the one that a user can most easily give another memory.
  static int speaks_for_both(const part& x) {
    if (x.member == the_zeroed_gradient) return 3;
    if (x.member == the_gradient) return 2;
    return x.member == the_parameter ? 0 : 1;
  }

  std::string name(const part& what) const {
    const std::string parameter = "parameter " + std::to_string(what.tensor);
    if (what.member == the_parameter) return parameter;
    if (what.member < 0) return "the gradient of " + parameter;
    const py::object& member = (*slots_)[size_t(what.tensor)].names[size_t(what.member)];
    return "the state '" + py::str(member).cast<std::string>() + "' of " + parameter;
  }

  const std::deque<slot>* slots_;
  std::vector<touched_array> arrays_;
  std::vector<part> parts_;
  std::deque<std::vector<dimension>> of_rows_;
  std::set<std::pair<const char*, dtype>> numbers_;
};

void refuse_read_only_gradients(const std::deque<slot>& slots, const active_tensors& active,
                                const std::vector<bool>& zeroed) {
  for (size_t i = 0; i < active.indices.size(); ++i) {
    const slot& tensor = slots[size_t(active.indices[i])];
    if (zeroed[size_t(active.groups[i])] && !tensor.task.gradient.rows && !tensor.gradient_view.writable)
      throw py::value_error("the gradient of parameter " + std::to_string(active.indices[i]) +
                            " is read-only: pass one that can be written, or zero_grad=False");
  }
}

// Lists the arrays that are written of these tensors and of others, so that the others may step again without
// another look. add_gradient(arrays, i) adds the gradient of the i-th.
template <class AddGradient>
array_list list_arrays(const std::deque<slot>& slots, const std::vector<int>& indices,
                       const AddGradient& add_gradient) {
  array_list arrays(slots);
  std::vector<bool> listed(slots.size());
  for (size_t i = 0; i < indices.size(); ++i) {
    listed[size_t(indices[i])] = true;
    arrays.add_written(indices[i]);
    add_gradient(arrays, i);
  }
  for (size_t i = 0; i < slots.size(); ++i)
    if (!listed[i] && slots[i].known_apart) arrays.add_written(int(i));
  return arrays;
}

// Raises for arrays that may not share what they share; returns them if there are none.
template <class AddGradient>
array_list list_apart(std::deque<slot>& slots, const std::vector<int>& indices,
                      const AddGradient& add_gradient) {
  array_list arrays = list_arrays(slots, indices, add_gradient);
  if (!arrays.find()) return arrays;
  // One of a tensor that rests may have been freed, and its memory given to another.
  for (slot& each : slots) each.known_apart = false;
  arrays = list_arrays(slots, indices, add_gradient);
  if (const auto found = arrays.find()) arrays.refuse(*found);
  return arrays;
}

}  // namespace

bool step_sharing::must_look(const std::deque<slot>& slots, const std::vector<int>& active,
                             bool zeroes) const {
  return std::any_of(active.begin(), active.end(), [&](int index) {
    const slot& tensor = slots[size_t(index)];
    if (!tensor.known_apart) return true;
    if (!tensor.gradient_moved) return false;
    const operand& gradient = tensor.task.gradient;
    return zeroes || written_.meets(extent_of({gradient.data, gradient.type, gradient.dimensions, false}));
  });
}

void step_sharing::refuse(std::deque<slot>& slots, const active_tensors& active,
                          const std::vector<group_settings>& groups) {
  std::vector<bool> zeroed(groups.size());
  bool zeroes = false;
  for (size_t i = 0; i < groups.size(); ++i) zeroes |= zeroed[i] = groups[i].around.zero_gradient;
  if (zeroes) refuse_read_only_gradients(slots, active, zeroed);
  if (zeroed != zeroed_ || must_look(slots, active.indices, zeroes)) {
    const array_list arrays = list_apart(slots, active.indices, [&](array_list& added, size_t i) {
      added.add_gradient(active.indices[i], zeroed[size_t(active.groups[i])]);
    });
    written_ = extent_set(arrays.written_extents());
    zeroed_ = std::move(zeroed);
  }
  for (const int index : active.indices) {
    slots[size_t(index)].known_apart = true;
    slots[size_t(index)].gradient_moved = false;
  }
}

// The next step looks at what has moved once more, beside gradients.
void step_sharing::refuse_written(std::deque<slot>& slots, const std::vector<int>& indices) {
  const bool known = std::all_of(indices.begin(), indices.end(),
                                 [&](int index) { return slots[size_t(index)].known_apart; });
  if (!known) list_apart(slots, indices, [](array_list&, size_t) {});
}

void refuse_overlap(const std::vector<array_view>& views, const std::vector<array_role>& roles,
                    const std::vector<bool>& written) {
  std::vector<touched_array> arrays;
  for (size_t i = 0; i < views.size(); ++i) arrays.emplace_back(views[i], written[i]);
  const auto found = find_sharing(arrays);
  if (!found) return;
  const std::string first = roles[size_t(found->first)].text(), second = roles[size_t(found->second)].text();
  if (found->unsure) refuse_unsure(first, second);
  if (found->first == found->second) refuse_repeated(first);
  throw py::value_error(first + " and " + second + " share memory: pass each element once");
}

void check_parameters(const py::list& parameters) {
  std::vector<array_view> views;
  std::vector<array_role> roles;
  std::vector<py::object> owners;
  const device where = common_device(parameters);
  for (const py::handle parameter : parameters) {
    const int index = int(roles.size());
    roles.push_back({"parameter", index, where});
    views.push_back(read_parameter(parameter, roles.back(), owners));
    inspect_tensor(parameter, views.back(), roles.back());
  }
  refuse_overlap(views, roles, std::vector<bool>(views.size(), true));
}

}  // namespace gradstep
