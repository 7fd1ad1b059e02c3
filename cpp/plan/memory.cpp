#include "plan/memory.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <set>
#include <span>
#include <utility>

namespace gradstep {

namespace {

// The arrays of some tensors, and what each of them is.
class array_list {
 public:
  explicit array_list(const tensor_list& tensors) : tensors_(&tensors) {}

  void add_written(int tensor) {
    const gradstep::tensor& from = (*tensors_)[tensor];
    const tensor_task& task = from.layout.task;
    add({tensor, tensor_part::parameter}, task.parameter, true, tensor);
    if (task.state_count < 0) return;  // it has no states yet
    int member = 0;
    for (int k = 0; k < task.state_count; ++k) add({tensor, member++}, from.layout.state(k), true);
    if (task.has_average) add({tensor, member++}, task.average, true);
    if (task.has_copy) add({tensor, member++}, task.copy, true);
    for (const scalar_ref& number : from.time.numbers) add_number({tensor, member++}, number);
    if (from.time.average_product.data) add_number({tensor, member++}, from.time.average_product);
    for (int k = 0; k < task.state_count; ++k)
      if (task.states[k].second) add_second_plane({tensor, member++}, task.states[k], task.size);
  }

  void add_gradient(int tensor, bool zeroed) {
    add({tensor, zeroed ? tensor_part::zeroed_gradient : tensor_part::gradient},
        (*tensors_)[tensor].layout.task.gradient, zeroed, zeroed ? -1 : tensor);
  }

  std::optional<shared_memory> find() const {
    const auto found = find_sharing(arrays_);
    if (!found) return std::nullopt;
    tensor_part subject = parts_[size_t(found->first)], other = parts_[size_t(found->second)];
    if (ease_of_copying(other) > ease_of_copying(subject)) std::swap(subject, other);
    return shared_memory{subject, other, found->first == found->second, found->unsure};
  }

  std::vector<extent> written_extents() const {
    std::vector<extent> found;
    found.reserve(arrays_.size());
    for (size_t i = 0; i < arrays_.size(); ++i)
      if (parts_[i].member >= 0 || parts_[i].member == tensor_part::parameter)
        found.push_back(extent_of(arrays_[i]));
    return found;
  }

 private:
  static constexpr int of_numbers = std::numeric_limits<int>::max();  // the mate of all numbers

  void add(tensor_part what, const operand& x, bool written, int mate = -1) {
    std::span<const dimension> dimensions = x.dimensions;
    if (x.rows) {
      std::vector<dimension>& all = of_rows_.emplace_back(x.leading);
      all.insert(all.end(), x.dimensions.begin(), x.dimensions.end());
      dimensions = all;
    }
    arrays_.emplace_back(x.data, x.type, dimensions, written, mate);
    parts_.push_back(what);
  }

  void add_second_plane(tensor_part what, const operand& x, int64_t size) {
    const second_plane& second = format_of(x.type).second;
    const int64_t groups = (size + second.group - 1) / second.group;
    std::vector<dimension>& bytes = of_rows_.emplace_back();
    bytes.push_back({groups * second.bytes / format_of(dtype::f16).bytes, format_of(dtype::f16).bytes});
    arrays_.emplace_back(x.second, dtype::f16, bytes, true);  // counted in pairs of bytes
    parts_.push_back(what);
  }

  // Once, however many states share it.
  void add_number(tensor_part what, const scalar_ref& scalar) {
    if (!numbers_.emplace(scalar.data, scalar.type).second) return;
    arrays_.emplace_back(scalar.data, scalar.type, std::span<const dimension>(), true, of_numbers);
    parts_.push_back(what);
  }

  static int ease_of_copying(const tensor_part& x) {
    if (x.member == tensor_part::zeroed_gradient) return 3;
    if (x.member == tensor_part::gradient) return 2;
    return x.member == tensor_part::parameter ? 0 : 1;
  }

  const tensor_list* tensors_;
  std::vector<touched_array> arrays_;
  std::vector<tensor_part> parts_;
  std::deque<std::vector<dimension>> of_rows_;
  std::set<std::pair<const char*, dtype>> numbers_;
};

// Lists the arrays that are written of these tensors and of others, so that the others may step again without
// another look. add_gradient(arrays, i) adds the gradient of the i-th.
template <class AddGradient>
array_list list_arrays(const tensor_list& tensors, const std::vector<int>& indices,
                       const AddGradient& add_gradient) {
  array_list arrays(tensors);
  std::vector<bool> listed(tensors.all.size());
  for (size_t i = 0; i < indices.size(); ++i) {
    listed[size_t(indices[i])] = true;
    arrays.add_written(indices[i]);
    add_gradient(arrays, i);
  }
  for (int i = 0; i < int(tensors.all.size()); ++i)
    if (!listed[size_t(i)] && tensors[i].layout.known_disjoint) arrays.add_written(i);
  return arrays;
}

// Finds memory that the arrays share and may not. If there is none, `written` becomes the extents of those
// that are written.
template <class AddGradient>
std::optional<shared_memory> find_among(tensor_list& tensors, const std::vector<int>& indices,
                                        const AddGradient& add_gradient, std::vector<extent>& written) {
  array_list arrays = list_arrays(tensors, indices, add_gradient);
  if (arrays.find()) {
    // One of a tensor that rests may have been freed, and its memory given to another.
    for (tensor& each : tensors.all) each.layout.known_disjoint = false;
    arrays = list_arrays(tensors, indices, add_gradient);
    if (const auto found = arrays.find()) return found;
  }
  written = arrays.written_extents();
  return std::nullopt;
}

}  // namespace

bool memory_check::must_look(const tensor_list& tensors, bool zeroes) const {
  const std::vector<int>& active = tensors.active.indices;
  return std::any_of(active.begin(), active.end(), [&](int index) {
    const tensor_layout& layout = tensors[index].layout;
    if (!layout.known_disjoint) return true;
    if (!layout.gradient_moved) return false;
    const operand& gradient = layout.task.gradient;
    return zeroes || written_.meets(extent_of({gradient.data, gradient.type, gradient.dimensions, false}));
  });
}

std::optional<shared_memory> memory_check::find(tensor_list& tensors,
                                                const std::vector<group_settings>& groups) {
  const active_tensors& active = tensors.active;
  std::vector<bool> zeroed(groups.size());
  bool zeroes = false;
  for (size_t i = 0; i < groups.size(); ++i) zeroes |= zeroed[i] = groups[i].options.zero_grad;
  if (zeroed != zeroed_ || must_look(tensors, zeroes)) {
    const auto add_gradient = [&](array_list& arrays, size_t i) {
      arrays.add_gradient(active.indices[i], zeroed[size_t(active.groups[i])]);
    };
    std::vector<extent> written;
    if (const auto found = find_among(tensors, active.indices, add_gradient, written)) return found;
    written_ = extent_set(std::move(written));
    zeroed_ = std::move(zeroed);
  }
  for (const int index : active.indices) {
    tensors[index].layout.known_disjoint = true;
    tensors[index].layout.gradient_moved = false;
  }
  return std::nullopt;
}

// Leaves gradients out, so the next step checks the arrays that have moved once more, with them.
std::optional<shared_memory> memory_check::find_written(tensor_list& tensors,
                                                        const std::vector<int>& indices) {
  const bool known = std::all_of(indices.begin(), indices.end(),
                                 [&](int index) { return tensors[index].layout.known_disjoint; });
  std::vector<extent> written;
  return known ? std::nullopt : find_among(tensors, indices, [](array_list&, size_t) {}, written);
}

}  // namespace gradstep
