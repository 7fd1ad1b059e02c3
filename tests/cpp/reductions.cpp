// Sums of squares, against the tree that reductions.h describes, formed by recursion.
#include "host/reductions.h"

#include "host/gradients.h"
#include "tasks.h"

using namespace checks;
using gradstep::chunk_list, gradstep::leaf_elements, gradstep::sum_lanes, gradstep::sums, gradstep::target,
    gradstep::tensor_task;

namespace {

// What lane `i` holds once lanes `apart` and more from one another have been added.
double folded(const double* lanes, int i, int apart) {
  return apart == sum_lanes ? lanes[i] : folded(lanes, i, 2 * apart) + folded(lanes, i + apart, 2 * apart);
}

sums added(const sums& a, const sums& b) {
  sums made;
  made.gradient = a.gradient + b.gradient;
  made.nonfinite = a.nonfinite + b.nonfinite;
  made.change = a.change + b.change;
  made.parameter = a.parameter + b.parameter;
  for (int i = 0; i < 2; ++i) made.rule[i] = a.rule[i] + b.rule[i];
  return made;
}

// The largest power of two below their number goes to the left.
sums tree(std::span<const sums> parts) {
  if (parts.empty()) return {};
  if (parts.size() == 1) return parts[0];
  size_t left = 1;
  while (2 * left < parts.size()) left *= 2;
  return added(tree(parts.first(left)), tree(parts.subspan(left)));
}

// Of the numbers in visiting order, times `scale`, in arithmetic T.
template <class T>
sums sums_of(const std::vector<double>& numbers, double scale) {
  std::vector<sums> leaves;
  for (size_t first = 0; first < numbers.size(); first += size_t(leaf_elements)) {
    double lanes[sum_lanes] = {};
    sums& leaf = leaves.emplace_back();
    for (size_t i = first; i < std::min(numbers.size(), first + size_t(leaf_elements)); ++i) {
      const T x = T(numbers[i]) * T(scale);
      double& lane = lanes[(i - first) % sum_lanes];
      lane = std::fma(double(x), double(x), lane);
      leaf.nonfinite += !std::isfinite(x);
    }
    leaf.gradient = folded(lanes, 0, 1);
  }
  return tree(leaves);
}

sums expected_of(const array& gradient, double scale) {
  std::vector<double> numbers;
  const array_view& view = gradient.view();
  for (const char* const place : places(view, gradstep::memory_order(view)))
    numbers.push_back(number_at(place, view.type));
  return view.type == dtype::f64 ? sums_of<double>(numbers, scale) : sums_of<float>(numbers, scale);
}

sums any_sums(random_numbers& random) {
  return {random.wide(), 1, random.wide(), random.wide(), {random.wide(), random.wide()}};
}

}  // namespace

TEST(lanes_are_folded_by_halves) {
  random_numbers random(20);
  for (int trial = 0; trial < 200; ++trial) {
    double lanes[sum_lanes];
    for (double& lane : lanes) lane = random.wide();
    CHECK_EQ(gradstep::fold_lanes(lanes), folded(lanes, 0, 1));
  }
}

TEST(parts_are_added_pairwise) {
  random_numbers random(21);
  for (size_t count = 0; count < 70; ++count) {
    std::vector<sums> parts;
    while (parts.size() < count) parts.push_back(any_sums(random));
    CHECK(same_sums(gradstep::add_pairwise(parts), tree(parts)));
  }
}

TEST(gradients_of_any_format_are_summed_alike_on_each_target) {
  random_numbers random(22);
  std::vector<array> gradients = any_gradients(random, 16);
  std::vector<sums> expected;
  for (const array& each : gradients) expected.push_back(expected_of(each, 0.37));
  std::vector<tensor_task> tasks = gradient_tasks(gradients);
  on_each_target([&](const target&) {
    chunk_list chunks;
    chunks.cut(pointers(tasks), true, 1);
    CHECK(same_sums(gradstep::sum_gradients(chunks, 0.37), tree(expected)));
    for (size_t i = 0; i < tasks.size(); ++i) CHECK(same_sums(gradstep::total(tasks[i]), expected[i]));
  });
}

TEST(sums_depend_on_no_cut) {
  random_numbers random(23);
  array gradient = any_array(random, dtype::f32, {5, 11, 997});
  gradient.fill([&] { return random.wide(); });
  tensor_task task = gradient_task(gradient);
  const sums expected = expected_of(gradient, 3);
  on_each_target([&](const target& on) {
    for (int trial = 0; trial < 20; ++trial) {
      std::vector<sums> leaves(size_t(task.size / leaf_elements + 1));
      task.leaves = leaves.data();
      for (int64_t first = 0; first < task.size;) {
        const int64_t count = std::min(random.between(1, 5) * leaf_elements, task.size - first);
        gradstep::sum_gradient_run(on, task, 3, first, count);
        first += count;
      }
      CHECK(same_sums(gradstep::total(task), expected));
    }
  });
}

TEST(what_is_not_finite_is_counted) {
  random_numbers random(24);
  array gradient(dtype::f32, {10'000});
  gradient.fill([&] { return random.chance(50) ? (random.chance(2) ? NAN : INFINITY) : random.uniform(); });
  tensor_task task = gradient_task(gradient);
  const double expected = expected_of(gradient, 1).nonfinite;
  CHECK(expected > 100);
  on_each_target([&](const target&) {
    chunk_list chunks;
    chunks.cut({&task}, true, 1);
    CHECK_EQ(gradstep::sum_gradients(chunks, 1).nonfinite, expected);
  });
}

TEST(norms_whose_squares_overflow_are_finite) {
  array gradient(dtype::f64, {3});
  gradient.set({3e200, 0, -4e200});
  tensor_task task = gradient_task(gradient);
  chunk_list chunks;
  chunks.cut({&task}, true, 1);
  const double norm = gradstep::norm_by([&](double by) { return gradstep::sum_gradients(chunks, by); });
  CHECK(std::abs(norm / 5e200 - 1) < 1e-15);  // two roundings
}
