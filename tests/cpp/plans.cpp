// Steps of a plan over views, against float64 equations written here, and their bits against one another.
#include <cmath>
#include <memory>

#include "stepping.h"

using namespace checks;

namespace {

using numbers = std::vector<double>;

// One tensor in float64.
struct reference_tensor {
  numbers p;
  std::vector<numbers> states;

  explicit reference_tensor(const tensor_arrays& of)
      : p(of.parameter.numbers()), states(of.states.size(), numbers(p.size())) {}
};

using equations = void (*)(double& p, double g, double& first, double& second, int t);

// Sutskever et al. 2013 as torch has it; the numbers are those of momentum_settings().
void momentum(double& p, double g, double& m, double&, int t) {
  m = t == 1 ? g : 0.9 * m + (1 - 0.1) * g;
  p -= 0.05 * m;
}

// Loshchilov and Hutter 2019; the numbers are those of adamw_settings().
void adamw(double& p, double g, double& m, double& v, int t) {
  m = 0.9 * m + (1 - 0.9) * g;
  v = 0.99 * v + (1 - 0.99) * g * g;
  const double first = m / (1 - std::pow(0.9, t)), second = v / (1 - std::pow(0.99, t));
  p -= 0.01 * 0.1 * p + 0.01 * first / (std::sqrt(second) + 1e-8);
}

void step(reference_tensor& of, const numbers& g, equations rule, int t, double factor = 1) {
  double none = 0;
  for (size_t i = 0; i < of.p.size(); ++i) {
    double& first = of.states.empty() ? none : of.states[0][i];
    double& second = of.states.size() < 2 ? none : of.states[1][i];
    rule(of.p[i], factor * g[i], first, second, t);
  }
}

constexpr int steps = 8;

// Some ten roundings in each step, of numbers below 2.
double tolerance(dtype type) {
  return steps * 10 *
         (type == dtype::f64 ? std::numeric_limits<double>::epsilon()
                             : double(std::numeric_limits<float>::epsilon()));
}

double largest_difference(const numbers& a, const numbers& b) {
  double largest = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;  // NaN too
  }
  return largest;
}

double norm_of(const numbers& all) {
  double squares = 0;
  for (const double x : all) squares += x * x;
  return std::sqrt(squares);
}

void fill(array& of, random_numbers& random) {
  of.fill([&] { return random.uniform(); });
}

// The equations of a rule, in both arithmetic types, in any layout.
void check_equations(const group_settings& settings, equations rule, int state_count) {
  for (const dtype type : {dtype::f32, dtype::f64})
    for (const int threads : {1, 3}) {
      random_numbers random(30);
      tensor_arrays small(type, {7, 3}, state_count), large(type, {3, 150, 200}, state_count, &random);
      std::vector<tensor_arrays*> all = {&small, &large};
      std::vector<reference_tensor> expected;
      test_plan plan;
      for (tensor_arrays* each : all) {
        fill(each->parameter, random);
        expected.emplace_back(*each);
        each->add_to(plan);
      }
      for (int t = 1; t <= steps; ++t) {
        for (size_t i = 0; i < all.size(); ++i) {
          fill(all[i]->gradient, random);
          step(expected[i], all[i]->gradient.numbers(), rule, t);
        }
        CHECK(plan.step({settings}, {.threads = threads}));
      }
      for (size_t i = 0; i < all.size(); ++i) {
        CHECK(largest_difference(all[i]->parameter.numbers(), expected[i].p) < tolerance(type));
        for (size_t k = 0; k < expected[i].states.size(); ++k)
          CHECK(largest_difference(all[i]->states[k].numbers(), expected[i].states[k]) < tolerance(type));
        CHECK_EQ(plan.updates(int(i)), steps);
      }
    }
}

// What three steps from the same numbers leave, in the order of indices.
std::string bits_of_steps(const group_settings& settings, dtype type, int state_count, int threads,
                          random_numbers* layouts = nullptr) {
  random_numbers random(31);
  tensor_arrays arrays(type, {300, 300}, state_count, layouts);
  test_plan plan;
  fill(arrays.parameter, random);
  arrays.add_to(plan);
  for (int t = 0; t < 3; ++t) {
    fill(arrays.gradient, random);
    plan.step({settings}, {.threads = threads});
  }
  std::string bits = bits_of(arrays.parameter);
  for (const array& each : arrays.states) bits += bits_of(each);
  return bits;
}

// As torch's Adafactor keeps it: 1 in place of each dimension that its numbers are the same along.
shape shape_of_state(const gradstep::rule_entry& of, int state, shape parameter) {
  using gradstep::state_shape;
  const state_shape kept = of.form ? of.form->shapes[state] : state_shape::like_parameter;
  const size_t ndim = parameter.size();
  for (size_t d = 0; d + 2 < ndim; ++d)
    if (kept == state_shape::per_tensor) parameter[d] = 1;
  if (kept != state_shape::like_parameter && kept != state_shape::per_row) parameter[ndim - 2] = 1;
  if (kept != state_shape::like_parameter && kept != state_shape::per_column) parameter[ndim - 1] = 1;
  return parameter;
}

}  // namespace

TEST(momentum_follows_its_equations) {
  on_each_target([](const gradstep::target&) { check_equations(momentum_settings(), momentum, 1); });
}

TEST(adamw_follows_its_equations) {
  on_each_target([](const gradstep::target&) { check_equations(adamw_settings(), adamw, 2); });
}

TEST(bits_depend_on_no_target_layout_or_number_of_threads) {
  random_numbers layouts(32);
  for (const dtype type : every_dtype) {
    const std::string expected = bits_of_steps(adamw_settings(), type, 2, 1);
    on_each_target([&](const gradstep::target&) {
      for (const int threads : {1, 4}) {
        CHECK(bits_of_steps(adamw_settings(), type, 2, threads) == expected);
        CHECK(bits_of_steps(adamw_settings(), type, 2, threads, &layouts) == expected);
      }
    });
  }
}

// Large enough for tiles of 256 columns, and for parts of them; each array is transposed or not by itself,
// the gradient always.
TEST(transposed_matrices_give_the_bits_of_straight_ones) {
  random_numbers random(41);
  for (const shape& of : {shape{70, 600}, shape{600, 257}, shape{3, 41, 300}, shape{2, 1000}})
    for (int trial = 0; trial < 8; ++trial) {
      index_order straight(of.size()), transposed;
      std::iota(straight.begin(), straight.end(), 0);
      transposed = straight;
      std::swap(transposed[of.size() - 2], transposed[of.size() - 1]);
      const auto none = [] { return 0; };
      const auto forwards = [] { return false; };
      const dtype of_gradient = every_dtype[random.between(1, 3)];
      std::string expected;
      for (const bool turned : {false, true}) {
        random_numbers filling(uint64_t(42 + trial));
        std::deque<array> arrays;
        for (int k = 0; k < 4; ++k) {
          const dtype type = k == 1 ? of_gradient : dtype::f32;
          const bool turns = turned && (k == 1 || (trial >> (k / 2)) % 2);
          arrays.emplace_back(type, of, turns ? transposed : straight, none, forwards);
          arrays.back().fill([&] { return k < 2 ? filling.uniform() : 0.0; });
        }
        group_settings settings = adamw_settings();
        settings.options.zero_grad = trial % 2 != 0;
        test_plan plan;
        plan.add(0, arrays[0].view(), arrays[1].view(), {{arrays[2].view(), arrays[3].view()}, {}, {}});
        for (int t = 0; t < 2; ++t) {
          arrays[1].fill([&] { return filling.uniform(); });
          CHECK(plan.step({settings}, {.threads = 1 + trial % 3}));
        }
        std::string bits;
        for (const array& each : arrays) bits += bits_of(each);
        if (!turned) expected = bits;
        CHECK(bits == expected);
      }
    }
}

TEST(bits_of_a_rule_that_measures_depend_on_no_number_of_threads) {
  const group_settings lamb = settings_of("lamb", {0.9, 0.99, 1e-6, 1, 1, 0, 0}, 0.01);
  const std::string expected = bits_of_steps(lamb, dtype::f32, 2, 1);
  on_each_target([&](const gradstep::target&) {
    for (int threads = 1; threads <= 4; ++threads)
      CHECK(bits_of_steps(lamb, dtype::f32, 2, threads) == expected);
  });
}

TEST(short_parameters_are_rounded_once_in_each_step) {
  for (const dtype type : {dtype::f16, dtype::bf16}) {
    random_numbers random(33);
    tensor_arrays narrow(type, {50, 41}, 0, &random), wide(dtype::f32, {50, 41}, 0);
    test_plan narrow_plan, wide_plan;
    fill(narrow.parameter, random);
    narrow.add_to(narrow_plan);
    wide.add_to(wide_plan);
    const group_settings sgd = settings_of("sgd", {}, 0.01);
    for (int t = 0; t < steps; ++t) {
      fill(narrow.gradient, random);
      wide.parameter.set(narrow.parameter.numbers());
      wide.gradient.set(narrow.gradient.numbers());
      narrow_plan.step({sgd});
      wide_plan.step({sgd});
      array rounded(type, {50, 41});
      rounded.set(wide.parameter.numbers());
      CHECK(bits_of(narrow.parameter) == bits_of(rounded));
    }
  }
}

TEST(gradients_are_clipped_by_the_norm_of_all) {
  for (const bool alone : {false, true}) {
    random_numbers random(34);
    tensor_arrays first(dtype::f64, {40, 30}, 1), second(dtype::f64, {17}, 2);
    test_plan plan;
    for (tensor_arrays* each : {&first, &second}) fill(each->parameter, random);
    first.add_to(plan, 0);
    second.add_to(plan, 1);
    std::vector<group_settings> groups = {momentum_settings(), adamw_settings()};
    groups[0].options.clip_norm = 0.5;
    groups[0].options.clip_by_group = alone;
    reference_tensor expected(first), other(second);
    for (int t = 1; t <= steps; ++t) {
      fill(first.gradient, random);
      fill(second.gradient, random);
      const double of_first = norm_of(first.gradient.numbers());
      const double of_all = std::hypot(of_first, norm_of(second.gradient.numbers()));
      step(expected, first.gradient.numbers(), momentum, t, 0.5 / ((alone ? of_first : of_all) + 1e-6));
      step(other, second.gradient.numbers(), adamw, t);
      CHECK(plan.step(groups));
      CHECK(std::abs(plan.report().gradient_norm / of_all - 1) < 1e-14);  // both sums are rounded 1200 times
    }
    CHECK(largest_difference(first.parameter.numbers(), expected.p) < tolerance(dtype::f64));
    CHECK(largest_difference(second.parameter.numbers(), other.p) < tolerance(dtype::f64));
  }
}

TEST(gradients_that_are_not_finite_skip_the_step) {
  random_numbers random(35);
  tensor_arrays finite(dtype::f32, {20}, 2), other(dtype::f32, {9, 9}, 2, &random);
  test_plan plan;
  for (tensor_arrays* each : {&finite, &other}) {
    fill(each->parameter, random);
    fill(each->gradient, random);
    each->add_to(plan);
  }
  group_settings settings = adamw_settings();
  settings.options.zero_grad = true;
  const step_settings options = {.skip_nonfinite = true};
  CHECK(plan.step({settings}, options));
  for (const double found : {double(INFINITY), double(NAN)}) {
    const auto everything = [&] {
      return bits_of(finite.parameter) + bits_of(other.parameter) + bits_of(finite.states[0]) +
             bits_of(other.states[1]);
    };
    fill(finite.gradient, random);
    other.gradient.set(numbers(81, found));
    const std::string before = everything();
    CHECK(!plan.step({settings}, options));
    CHECK(plan.report().skipped);
    CHECK_EQ(plan.report().nonfinite, 81);
    CHECK(everything() == before);
    CHECK_EQ(plan.updates(0), 1);
    CHECK_EQ(norm_of(other.gradient.numbers()) + norm_of(finite.gradient.numbers()),
             0);  // zeroed all the same
  }
  fill(other.gradient, random);
  CHECK(plan.step({settings}, options));
  CHECK(!plan.report().skipped);
  CHECK_EQ(plan.updates(0), 2);
}

TEST(a_gradient_is_zeroed_where_it_lies) {
  random_numbers random(36);
  for (const dtype type : every_dtype) {
    tensor_arrays arrays(type, {9, 130}, 1, &random);
    test_plan plan;
    fill(arrays.parameter, random);
    fill(arrays.gradient, random);
    arrays.add_to(plan);
    std::vector<char> expected = arrays.gradient.memory();
    for (const char* const place : places(arrays.gradient.view()))
      std::fill_n(expected.data() + (place - arrays.gradient.memory().data()), bytes_of(type), '\0');
    group_settings settings = momentum_settings();
    settings.options.zero_grad = true;
    CHECK(plan.step({settings}));
    CHECK(arrays.gradient.memory() == expected);
  }
}

TEST(a_report_tells_what_the_step_did) {
  random_numbers random(37);
  tensor_arrays first(dtype::f64, {123, 45}, 1, &random), second(dtype::f64, {9}, 1);
  test_plan plan;
  for (tensor_arrays* each : {&first, &second}) {
    fill(each->parameter, random);
    fill(each->gradient, random);
    each->add_to(plan);
  }
  numbers before = first.parameter.numbers(), after, gradients = first.gradient.numbers();
  const auto append = [](numbers& to, const numbers& more) { to.insert(to.end(), more.begin(), more.end()); };
  append(before, second.parameter.numbers());
  append(gradients, second.gradient.numbers());
  CHECK(plan.step({momentum_settings()}, {.stats = true}));
  after = first.parameter.numbers();
  append(after, second.parameter.numbers());
  numbers change = after;
  for (size_t i = 0; i < change.size(); ++i) change[i] -= before[i];
  CHECK(plan.report().has_stats);
  // Sums of 5544 squares.
  CHECK(std::abs(plan.report().gradient_norm / norm_of(gradients) - 1) < 1e-13);
  CHECK(std::abs(plan.report().parameter_norm / norm_of(after) - 1) < 1e-13);
  CHECK(std::abs(plan.report().update_norm / norm_of(change) - 1) < 1e-13);
}

TEST(averages_and_copies_follow_the_parameter) {
  random_numbers random(38);
  tensor_arrays arrays(dtype::f32, {61, 7}, 1, &random);
  array average = any_array(random, dtype::f32, {61, 7}), copy = any_array(random, dtype::bf16, {61, 7});
  fill(arrays.parameter, random);
  average.set(arrays.parameter.numbers());
  state_views states = arrays.state();
  states.average = average.view();
  states.copy = copy.view();
  test_plan plan;
  plan.add(0, arrays.parameter.view(), arrays.gradient.view(), states);
  group_settings settings = momentum_settings();
  settings.options.has_ema = settings.options.has_cast_to = true;
  settings.options.ema = 0.75;
  numbers expected = average.numbers();
  for (int t = 0; t < steps; ++t) {
    fill(arrays.gradient, random);
    CHECK(plan.step({settings}));
    const numbers now = arrays.parameter.numbers();
    for (size_t i = 0; i < now.size(); ++i) expected[i] = 0.75 * expected[i] + 0.25 * now[i];
    array rounded(dtype::bf16, {61, 7});
    rounded.set(now);
    CHECK(bits_of(copy) == bits_of(rounded));
  }
  CHECK(largest_difference(average.numbers(), expected) < tolerance(dtype::f32));
}

TEST(arrays_may_move_between_steps) {
  const auto trained = [](bool moves) {
    random_numbers random(39), layouts(40);
    auto arrays = std::make_unique<tensor_arrays>(dtype::f32, shape{30, 20}, 2);
    test_plan plan;
    fill(arrays->parameter, random);
    arrays->add_to(plan);
    for (int t = 0; t < steps; ++t) {
      if (moves) {
        auto elsewhere =
            std::make_unique<tensor_arrays>(dtype::f32, shape{30, 20}, 2, t % 2 ? &layouts : nullptr);
        elsewhere->parameter.set(arrays->parameter.numbers());
        for (size_t k = 0; k < 2; ++k) elsewhere->states[k].set(arrays->states[k].numbers());
        plan.move(0, elsewhere->parameter.view(), elsewhere->gradient.view(), elsewhere->state());
        arrays = std::move(elsewhere);
      }
      fill(arrays->gradient, random);
      CHECK(plan.step({adamw_settings()}, {.threads = 2}));
    }
    return bits_of(arrays->parameter) + bits_of(arrays->states[0]) + bits_of(arrays->states[1]);
  };
  CHECK(trained(true) == trained(false));
}

TEST(a_gradient_may_move_alone) {
  random_numbers random(41);
  tensor_arrays arrays(dtype::f64, {30, 20}, 1);
  array other = any_array(random, dtype::f64, {30, 20}), third(dtype::f64, {30, 20});
  fill(arrays.parameter, random);
  reference_tensor expected(arrays);
  test_plan plan;
  arrays.add_to(plan);
  for (int t = 1; t <= steps; ++t) {
    array& gradient = t % 3 == 0 ? arrays.gradient : t % 3 == 1 ? other : third;
    fill(gradient, random);
    plan.set_gradient(0, gradient.view());
    step(expected, gradient.numbers(), momentum, t);
    CHECK(plan.step({momentum_settings()}));
  }
  CHECK(largest_difference(arrays.parameter.numbers(), expected.p) < tolerance(dtype::f64));
}

TEST(a_layout_that_is_not_finished_is_made_anew) {
  const tensor_arrays arrays(dtype::f32, {6, 4}, 1);
  const array_view parameter = arrays.parameter.view();
  gradstep::tensor_layout layout;
  CHECK(layout.lies_elsewhere(parameter, 0));
  layout.lay_out(parameter, 0);
  layout.expect({1, false, false});
  layout.set_state(0, arrays.states[0].view());
  CHECK(layout.is_reshaped(parameter, 0));  // an exception may have come now
  layout.finish();
  CHECK(layout.is_laid_out() && !layout.is_reshaped(parameter, 0) && !layout.lies_elsewhere(parameter, 0));
  array_view moved = parameter;
  moved.data += 4;
  CHECK(layout.lies_elsewhere(moved, 0) && !layout.is_reshaped(moved, 0));
  CHECK(layout.is_reshaped(parameter, 1));  // visited by rows
  std::swap(moved.dimensions[0], moved.dimensions[1]);
  CHECK(layout.differs(moved, 0) && layout.is_reshaped(moved, 0));
  layout.set_state(0, arrays.gradient.view());
  CHECK(!layout.is_laid_out() && layout.is_reshaped(parameter, 0));
}

TEST(the_number_of_a_state_is_the_count_of_updates) {
  tensor_arrays arrays(dtype::f64, {1}, 2);
  arrays.parameter.set({0});
  arrays.gradient.set({1});
  test_plan plan;
  arrays.add_to(plan);
  CHECK(plan.step({adamw_settings()}));
  CHECK_EQ(plan.updates(0), 1);
  plan.tensors()[0].time.numbers[0].set(10);  // as a state that was loaded does
  arrays.parameter.set({0});
  for (array& state : arrays.states) state.set({0});
  CHECK(plan.step({adamw_settings()}));
  CHECK_EQ(plan.updates(0), 11);
  double p = 0, m = 0, v = 0;
  adamw(p, 1, m, v, 11);
  CHECK(std::abs(arrays.parameter.numbers()[0] - p) < tolerance(dtype::f64));
}

// The step itself fails where it allocates after it may have written (stepping.h).
TEST(all_that_a_step_needs_is_allocated_before_it_writes) {
  const gradstep::target& on = gradstep::active_target();
  for (int rule = 0; rule < on.rule_count; ++rule) {
    const gradstep::rule_entry& of = on.rules[rule];
    situation = of.name;
    for (const bool alone : {false, true}) {
      group_settings settings = settings_of(of.name, numbers(size_t(of.hypers), 0.5), 0.01);
      settings.options.clip_norm = 0.5;
      settings.options.clip_by_group = alone;
      settings.options.zero_grad = true;
      std::vector<tensor_arrays> tensors;
      test_plan plan;
      for (const shape& each : {shape{70, 90}, shape{300, 40}, shape{2, 3, 5}}) {
        tensors.emplace_back(dtype::f32, each, 0);
        for (int k = 0; k < of.states; ++k)
          tensors.back().states.emplace_back(dtype::f32, shape_of_state(of, k, each));
      }
      for (const tensor_arrays& each : tensors) each.add_to(plan);
      for (int t = 0; t < 2; ++t)
        CHECK(plan.step({settings}, {.threads = 2, .skip_nonfinite = true, .stats = true, .joins = t > 0}));
      CHECK(!plan.step({settings}, {.skip = true}));
    }
  }
  situation.clear();
}
