// The search for arrays that share memory, against the sets of the bytes that their elements lie in.
#include "arrays/overlap.h"

#include <memory>
#include <optional>
#include <set>

#include "arrays.h"

using namespace checks;
using gradstep::extent, gradstep::extent_set, gradstep::find_sharing, gradstep::sharing_pair,
    gradstep::touched_array;

namespace {

using byte_set = std::set<const char*>;

byte_set bytes_of_elements(const array_view& view) {
  byte_set found;
  for (const char* const place : places(view))
    for (int64_t i = 0; i < bytes_of(view.type); ++i) found.insert(place + i);
  return found;
}

bool repeats(const array_view& view) {
  return int64_t(bytes_of_elements(view).size()) < view.size() * bytes_of(view.type);
}

bool meet(const byte_set& a, const byte_set& b) {
  return std::any_of(a.begin(), a.end(), [&](const char* byte) { return b.contains(byte); });
}

bool lie_alike(const array_view& a, const array_view& b) {
  const auto seen = [](const array_view& view) {
    std::vector<dimension> matter;
    for (int d = 0; d < view.ndim; ++d)
      if (view.dimensions[d].size != 1) matter.push_back(view.dimensions[d]);
    return matter;
  };
  return a.data == b.data && a.type == b.type && seen(a) == seen(b);
}

struct given_array {
  array_view view;
  bool written;
  int mate;
};

// Whether the pair may not share what it shares, by the definition.
bool is_wrong(const given_array& a, const given_array& b) {
  if (!a.written && !b.written) return false;
  if (a.mate >= 0 && a.mate == b.mate && lie_alike(a.view, b.view)) return false;
  return meet(bytes_of_elements(a.view), bytes_of_elements(b.view));
}

bool is_wrong(const std::vector<given_array>& all, int i, int j) {
  if (i == j) return all[size_t(i)].written && repeats(all[size_t(i)].view);
  return is_wrong(all[size_t(i)], all[size_t(j)]);
}

bool any_is_wrong(const std::vector<given_array>& all) {
  for (int i = 0; i < int(all.size()); ++i)
    for (int j = i; j < int(all.size()); ++j)
      if (is_wrong(all, i, j)) return true;
  return false;
}

std::optional<sharing_pair> found_among(const std::vector<given_array>& all) {
  std::vector<touched_array> arrays;
  for (const given_array& each : all) arrays.emplace_back(each.view, each.written, each.mate);
  return find_sharing(arrays);
}

// Any strides that stay within the memory, multiples of nothing.
array_view any_view(random_numbers& random, std::vector<char>& memory) {
  const dtype type = every_dtype[random.between(0, 3)];
  for (;;) {
    std::vector<dimension> dimensions(size_t(random.between(0, 3)));
    const int64_t unit = random.chance(2) ? bytes_of(type) : random.between(1, 2);
    int64_t low = 0, high = bytes_of(type);
    for (dimension& each : dimensions) {
      each = {random.chance(12) ? 0 : random.between(1, 5), random.between(-12, 12) * unit};
      const int64_t reach = std::max<int64_t>(each.size - 1, 0) * each.stride;
      (reach < 0 ? low : high) += reach;
    }
    const int64_t room = int64_t(memory.size()) - (high - low);
    if (room >= 0) return view_of(memory.data() + random.between(0, room) - low, type, dimensions);
  }
}

// A block of a matrix, or every n-th of its rows and columns, transposed here and there.
array_view any_block(random_numbers& random, std::vector<char>& memory) {
  constexpr int64_t n = 8;
  std::vector<dimension> dimensions;
  int64_t start = 0;
  for (const int64_t stride : {n * 4, int64_t(4)}) {
    const int64_t first = random.between(0, n - 1), step = random.between(1, 3);
    dimensions.push_back({random.between(1, (n - first + step - 1) / step), step * stride});
    start += first * stride;
  }
  if (random.chance(2)) std::swap(dimensions[0], dimensions[1]);
  return view_of(memory.data() + start, dtype::f32, dimensions);
}

using any_kind = array_view (*)(random_numbers&, std::vector<char>&);

void check_against_bytes(any_kind make, size_t memory_bytes, int64_t most_arrays, int trials) {
  random_numbers random(memory_bytes);
  std::vector<char> memory(memory_bytes);
  int sharing = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<given_array> all(size_t(random.between(1, most_arrays)));
    for (given_array& each : all)
      each = {make(random, memory), !random.chance(3), int(random.between(-1, 1))};
    if (random.chance(3)) all.push_back({all[0].view, random.chance(2), all[0].mate});
    const auto found = found_among(all);
    CHECK_EQ(found.has_value(), any_is_wrong(all));
    if (!found) continue;
    ++sharing;
    CHECK(!found->unsure);
    CHECK(is_wrong(all, found->first, found->second));
  }
  CHECK(sharing > trials / 10 && sharing < trials - trials / 10);  // both answers are tried
}

}  // namespace

TEST(any_strides_are_searched_exactly) {
  check_against_bytes(any_view, 400, 2, 4000);
  check_against_bytes(any_view, 2000, 5, 1000);
}

TEST(blocks_of_a_matrix_are_told_apart) { check_against_bytes(any_block, 256, 6, 3000); }

TEST(columns_of_a_large_matrix_are_apart) {
  constexpr int64_t rows = 100'000, columns = 50;
  const auto matrix = std::make_unique_for_overwrite<char[]>(size_t(rows * columns * 4));
  std::vector<given_array> all;
  for (int64_t column = 0; column < columns; ++column) {
    const std::vector<dimension> one = {{rows, columns * 4}};
    all.push_back({view_of(matrix.get() + column * 4, dtype::f32, one), true, -1});
  }
  CHECK(!found_among(all));
  all[7].view.data += 2;  // half of it lies in the next column
  const auto found = found_among(all);
  CHECK(found && found->first == 7 && found->second == 8 && !found->unsure);
}

TEST(extents_hold_all_bytes_and_no_more) {
  random_numbers random(7);
  std::vector<char> memory(400);
  for (int trial = 0; trial < 2000; ++trial) {
    const array_view view = any_view(random, memory);
    const extent found = extent_of(touched_array(view, true));
    const byte_set bytes = bytes_of_elements(view);
    if (bytes.empty()) {
      CHECK_EQ(found.low, found.high);
      continue;
    }
    CHECK_EQ(found.low, uintptr_t(*bytes.begin()));
    CHECK_EQ(found.high, uintptr_t(*bytes.rbegin()) + 1);
  }
}

TEST(a_set_of_extents_meets_what_one_of_them_meets) {
  random_numbers random(8);
  const auto any_extent = [&] {
    const auto low = uintptr_t(random.between(1, 60));
    return extent{low, low + uintptr_t(random.between(0, 8))};
  };
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<extent> all(size_t(random.between(0, 6)));
    for (extent& each : all) each = any_extent();
    const extent_set set(all);
    const extent other = any_extent();
    bool expected = false;
    for (const extent& each : all)
      for (uintptr_t byte = other.low; byte < other.high; ++byte)
        expected |= each.low <= byte && byte < each.high;
    CHECK_EQ(set.meets(other), expected);
  }
}
