// The order in which elements are visited, gathered and scattered, against walks that count indices.
#include "arrays/layout.h"

#include "arrays.h"

using namespace checks;
using gradstep::memory_order, gradstep::operand, gradstep::row_list, gradstep::row_order;

namespace {

bool is_order(const array_view& view, const index_order& expected, int first = 0) {
  return memory_order(view, first) == expected;
}

std::string gathered(const operand& x, int64_t first, int64_t count) {
  std::string bytes(size_t(count * bytes_of(x.type)), 0);
  gradstep::gather(x, first, count, bytes.data());
  return bytes;
}

std::string bytes_at(const std::vector<char*>& all, int64_t first, int64_t count, dtype type) {
  std::string bytes;
  for (int64_t i = first; i < first + count; ++i) bytes.append(all[size_t(i)], size_t(bytes_of(type)));
  return bytes;
}

std::string random_bytes(random_numbers& random, int64_t count) {
  std::string bytes;
  while (int64_t(bytes.size()) < count) bytes.push_back(char(random.bits()));
  return bytes;
}

// What lies in the visited places is gathered; what is scattered comes there, and nowhere else.
void check_copies(random_numbers& random, const operand& x, const std::vector<char*>& visited, array& owner) {
  const auto size = int64_t(visited.size());
  for (int trial = 0; trial < 4; ++trial) {
    const int64_t first = random.between(0, size - 1), count = random.between(1, size - first);
    CHECK(gathered(x, first, count) == bytes_at(visited, first, count, x.type));
    const std::string bytes = random_bytes(random, count * bytes_of(x.type));
    std::vector<char> expected = owner.memory();
    for (int64_t i = 0; i < count; ++i)
      std::copy_n(bytes.data() + i * bytes_of(x.type), bytes_of(x.type),
                  expected.data() + (visited[size_t(first + i)] - owner.memory().data()));
    gradstep::scatter(bytes.data(), x, first, count);
    CHECK(owner.memory() == expected);
  }
}

array random_array(random_numbers& random, const shape& of) {
  array made = any_array(random, every_dtype[random.between(0, 3)], of);
  return std::move(made.fill([&] { return random.uniform(); }));
}

}  // namespace

TEST(memory_order_goes_from_the_slowest_dimension_to_the_fastest) {
  float data[24] = {};
  const auto view = [&](std::vector<dimension> dimensions) { return view_of(data, dtype::f32, dimensions); };
  CHECK(is_order(view({}), {}));
  CHECK(is_order(view({{2, 48}, {3, 16}, {4, 4}}), {0, 1, 2}));
  CHECK(is_order(view({{4, 4}, {3, 16}, {2, 48}}), {2, 1, 0}));
  CHECK(is_order(view({{3, 16}, {2, -48}, {4, -4}}), {1, 0, 2}));         // backwards
  CHECK(is_order(view({{1, 96}, {2, 4}, {1, 4}, {3, 8}}), {3, 1}));       // sizes of one
  CHECK(is_order(view({{2, 0}, {3, 4}, {4, 0}, {2, 4}}), {1, 3, 0, 2}));  // equal strides stay as they come
  CHECK(is_order(view({{2, 4}, {3, 16}, {4, 8}}), {1, 2}, 1));            // of the dimensions from one on
}

TEST(what_lies_as_the_parameter_is_one_straight_run) {
  random_numbers random(1);
  for (int trial = 0; trial < 200; ++trial) {
    const shape of = any_shape(random);
    const array permuted(
        dtype::f32, of, any_order(random, of.size()), [] { return 0; }, [] { return false; });
    const operand x(permuted.view(), memory_order(permuted.view()));
    CHECK(x.direct);
    const std::vector<char*> visited = places(permuted.view(), memory_order(permuted.view()));
    for (size_t i = 0; i < visited.size(); ++i) CHECK(visited[i] == x.data + i * sizeof(float));
  }
  double data[24] = {};
  const std::vector<dimension> transposed = {{4, 8}, {6, 32}}, every_second = {{3, 64}, {4, 8}},
                               all = {{6, 32}, {4, 8}};
  const array_view parameter = view_of(data, dtype::f64, transposed);
  CHECK(operand(parameter, memory_order(parameter)).direct);
  CHECK(!operand(parameter, {0, 1}).direct);
  const array_view rows = view_of(data, dtype::f64, every_second);
  CHECK(!operand(rows, memory_order(rows)).direct);
  CHECK_EQ(operand(view_of(data, dtype::f64, all), {0, 1}).dimensions.size(),
           size_t(1));  // the two are one run
}

TEST(copies_follow_the_order_of_another_array) {
  random_numbers random(2);
  for (int trial = 0; trial < 400; ++trial) {
    const shape of = any_shape(random);
    const array parameter = random_array(random, of);
    array visited = random_array(random, of);
    const index_order order = memory_order(parameter.view());
    check_copies(random, operand(visited.view(), order), places(visited.view(), order), visited);
  }
}

TEST(gather_reads_repeated_elements) {
  const float data[] = {1, 2, 3};
  const std::vector<dimension> repeated = {{2, 0}, {3, 4}, {2, 0}};
  const array_view view = view_of(const_cast<float*>(data), dtype::f32, repeated);
  const operand x(view, {0, 1, 2});
  CHECK(gathered(x, 0, 12) == bytes_at(places(view), 0, 12, dtype::f32));
  CHECK(gathered(x, 5, 4) == bytes_at(places(view), 5, 4, dtype::f32));
}

TEST(copies_of_rows_visit_the_rows_given) {
  random_numbers random(3);
  for (int trial = 0; trial < 400; ++trial) {
    shape of = any_shape(random);
    of.insert(of.begin(), random.between(1, 6));
    array visited = random_array(random, of);
    const int row_dimensions = int(random.between(1, visited.view().ndim));
    index_order counted(static_cast<size_t>(row_dimensions));
    std::iota(counted.begin(), counted.end(), 0);
    const std::vector<char*> rows = places(visited.view(), counted);
    const index_order order = memory_order(visited.view(), row_dimensions);
    row_list given;
    std::vector<char*> expected;
    for (size_t row = 0; row < rows.size(); ++row) {
      if (random.chance(2) && row + 1 < rows.size()) continue;
      given.numbers.push_back(int64_t(row));
      array_view one = visited.view();
      one.data = rows[row];
      const std::vector<char*> elements = places(one, order);
      expected.insert(expected.end(), elements.begin(), elements.end());
    }
    const operand x(visited.view(), row_dimensions, order, &given);
    CHECK_EQ(x.row_elements * given.count(), int64_t(expected.size()));
    check_copies(random, x, expected, visited);
  }
}

TEST(rows_are_visited_once_and_upwards) {
  random_numbers random(4);
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<int64_t> numbers(size_t(random.between(0, 12)));
    for (int64_t& each : numbers) each = random.between(0, 8);
    const row_order sorted = gradstep::sort_rows(numbers);
    std::vector<int64_t> once, given, starts;
    for (int64_t row = 0; row <= 8; ++row) {
      if (std::find(numbers.begin(), numbers.end(), row) == numbers.end()) continue;
      once.push_back(row);
      starts.push_back(int64_t(given.size()));
      for (size_t at = 0; at < numbers.size(); ++at)
        if (numbers[at] == row) given.push_back(int64_t(at));  // in the order given
    }
    starts.push_back(int64_t(given.size()));
    if (once.size() == given.size()) starts.clear();  // none is added up
    CHECK(sorted.visited.numbers == once);
    CHECK(sorted.given.numbers == given);
    CHECK(sorted.given.starts == starts);
    CHECK_EQ(sorted.given.count(), int64_t(once.size()));
  }
}
