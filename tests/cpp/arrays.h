// Arrays for tests: memory with a view of it, laid out in any way, and walks over it that count indices.
#pragma once

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "arrays/view.h"
#include "check.h"
#include "host/simd/dispatch.h"
#include "numbers.h"

namespace checks {

using gradstep::array_view;
using gradstep::dimension;

using shape = std::vector<int64_t>;
using index_order = std::vector<int>;

constexpr dtype every_dtype[] = {dtype::f64, dtype::f32, dtype::f16, dtype::bf16};

inline int64_t bytes_of(dtype type) { return gradstep::format_of(type).bytes; }

inline array_view view_of(void* data, dtype type, std::span<const dimension> dimensions) {
  array_view view = {};
  view.data = static_cast<char*>(data);
  view.type = type;
  view.writable = true;
  view.where = gradstep::host_memory;
  view.ndim = int(dimensions.size());
  std::copy(dimensions.begin(), dimensions.end(), view.dimensions);
  return view;
}

inline index_order straight_order(const array_view& view, int first = 0) {
  index_order order(size_t(view.ndim - first));
  std::iota(order.begin(), order.end(), first);
  return order;
}

// Where the elements lie, the dimensions of this order counted, the last one the fastest; the others stay at
// 0.
inline std::vector<char*> places(const array_view& view, const index_order& order) {
  std::vector<char*> found = {view.data};
  for (const int d : order) {
    std::vector<char*> next;
    for (char* const place : found)
      for (int64_t i = 0; i < view.dimensions[d].size; ++i)
        next.push_back(place + i * view.dimensions[d].stride);
    found = std::move(next);
  }
  return found;
}
inline std::vector<char*> places(const array_view& view) { return places(view, straight_order(view)); }

// An array and its memory, which may hold more than the array's elements.
class array {
 public:
  // Of the dimensions from the slowest to the fastest in memory, in `order`; `gap` and `backwards` choose for
  // each how many of its steps are left out and whether it runs backwards.
  template <class Gap, class Backwards>
  array(dtype type, const shape& of, const index_order& order, const Gap& gap, const Backwards& backwards) {
    std::vector<dimension> dimensions(of.size());
    int64_t covered = bytes_of(type), start = 0;
    for (auto d = order.rbegin(); d != order.rend(); ++d) {
      const int64_t size = of[size_t(*d)], stride = covered * (1 + gap());
      const bool reversed = backwards();
      dimensions[size_t(*d)] = {size, reversed ? -stride : stride};
      if (reversed) start += (size - 1) * stride;
      covered = size * stride;
    }
    memory_.assign(size_t(covered), '\x5a');
    view_ = view_of(memory_.data() + start, type, dimensions);
  }
  // In one straight run.
  array(dtype type, const shape& of)
      : array(type, of, straight_order_of(of), [] { return 0; }, [] { return false; }) {}
  array(array&&) = default;  // a view of what stays where it is

  const array_view& view() const { return view_; }
  const std::vector<char>& memory() const { return memory_; }

  std::vector<double> numbers() const {
    std::vector<double> found;
    for (const char* const place : places(view_)) found.push_back(number_at(place, view_.type));
    return found;
  }
  void set(const std::vector<double>& numbers) {
    const std::vector<char*> all = places(view_);
    for (size_t i = 0; i < all.size(); ++i) set_number(all[i], view_.type, numbers[i]);
  }
  template <class Make>
  array& fill(const Make& make) {
    for (char* const place : places(view_)) set_number(place, view_.type, make());
    return *this;
  }

 private:
  static index_order straight_order_of(const shape& of) {
    index_order order(of.size());
    std::iota(order.begin(), order.end(), 0);
    return order;
  }

  std::vector<char> memory_;
  array_view view_;
};

inline std::string bits_of(const array& of) {
  std::string bits;
  for (const char* const place : places(of.view())) bits.append(place, size_t(bytes_of(of.view().type)));
  return bits;
}

inline index_order any_order(random_numbers& random, size_t ndim) {
  index_order order(ndim);
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = ndim; i > 1; --i) std::swap(order[i - 1], order[size_t(random.between(0, int64_t(i) - 1))]);
  return order;
}

// Of these sizes, permuted, with gaps, and backwards here and there; no element lies on another.
inline array any_array(random_numbers& random, dtype type, const shape& of) {
  return array(
      type, of, any_order(random, of.size()), [&] { return random.chance(2) ? 0 : random.between(0, 2); },
      [&] { return random.chance(4); });
}

inline shape any_shape(random_numbers& random) {
  shape made(size_t(random.between(0, 4)));
  for (int64_t& size : made) size = random.between(1, 5);
  return made;
}

// Runs it on each CPU target of this machine.
template <class Run>
void on_each_target(const Run& run) {
  const std::string best = gradstep::active_target().name;
  for (const gradstep::target* each : gradstep::available_targets()) {
    situation = each->name;
    CHECK(gradstep::select_target(each->name));
    run(*each);
  }
  situation.clear();
  gradstep::select_target(best);
}

}  // namespace checks
