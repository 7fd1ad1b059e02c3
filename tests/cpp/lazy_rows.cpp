// Rows that sparse gradients leave out, and the updates that they have missed.
#include "plan/lazy_rows.h"

#include "stepping.h"

using namespace checks;
using gradstep::host_update, gradstep::lazy_rows;

namespace {

using row_numbers = std::vector<int64_t>;

constexpr int64_t row_count = 12, columns = 37;

host_update update_of(double rate) {
  host_update made = {};
  made.rate = rate;
  return made;
}

// The same training by sparse gradients and by dense ones.
struct twins {
  tensor_arrays lazy, full;
  array lazy_average, full_average;
  test_plan lazy_plan, full_plan;
  std::optional<array> values;  // of the rows of the last step
  random_numbers random{50};
  std::vector<group_settings> groups;

  twins(dtype type, group_settings settings, int state_count, random_numbers* layouts)
      : lazy(type, {row_count, columns}, state_count, layouts),
        full(type, {row_count, columns}, state_count),
        lazy_average(type, {row_count, columns}),
        full_average(type, {row_count, columns}) {
    settings.options.has_ema = true;
    settings.options.ema = 0.75;
    groups = {settings};
    lazy.parameter.fill([&] { return random.uniform(); });
    const std::vector<double> start = lazy.parameter.numbers();
    for (array* each : {&full.parameter, &lazy_average, &full_average}) each->set(start);
    lazy_plan.add(0, lazy.parameter.view(), lazy.gradient.view(), with_average(lazy, lazy_average));
    full_plan.add(0, full.parameter.view(), full.gradient.view(), with_average(full, full_average));
  }

  static state_views with_average(const tensor_arrays& of, const array& average) {
    state_views states = of.state();
    states.average = average.view();
    return states;
  }

  // A few rows, some of them more than once; their values are eighths, whose sums are exact.
  void step(int threads = 1) {
    row_numbers rows(size_t(random.between(1, 5)));
    for (int64_t& row : rows) row = random.between(0, row_count - 1);
    const dtype type = lazy.parameter.view().type;
    values.emplace(any_array(random, type, {int64_t(rows.size()), columns}));
    values->fill([&] { return double(random.between(-8, 8)) / 8; });
    const std::vector<double> given = values->numbers();
    std::vector<double> dense(row_count * columns);
    for (size_t i = 0; i < given.size(); ++i)
      dense[size_t(rows[i / columns] * columns) + i % columns] += given[i];
    full.gradient.set(dense);
    lazy_plan.set_rows(0, {values->view(), rows});
    CHECK(lazy_plan.step(groups, {.threads = threads}));
    CHECK(full_plan.step(groups));
    check_rows(rows);
  }

  void check_rows(const row_numbers& rows) {
    const std::string mine = bits_of(lazy.parameter), others = bits_of(full.parameter);
    const size_t bytes = mine.size() / row_count;
    for (const int64_t row : rows)
      CHECK(mine.substr(size_t(row) * bytes, bytes) == others.substr(size_t(row) * bytes, bytes));
  }

  bool agree() const {
    bool same =
        bits_of(lazy.parameter) == bits_of(full.parameter) && bits_of(lazy_average) == bits_of(full_average);
    for (size_t k = 0; k < lazy.states.size(); ++k)
      same &= bits_of(lazy.states[k]) == bits_of(full.states[k]);
    return same;
  }

  const lazy_rows& rows() { return lazy_plan.tensors()[0].lazy; }
};

void check_catching_up(dtype type, const group_settings& settings, int state_count, random_numbers* layouts) {
  twins both(type, settings, state_count, layouts);
  for (int round = 0; round < 3; ++round) {
    bool lagged = false;
    for (int t = 0; t < 6; ++t) {
      both.step(1 + round);
      lagged |= !both.agree();
    }
    CHECK(lagged);
    CHECK(both.rows().lag());
    both.lazy_plan.catch_up(0, std::nullopt, 1 + round);
    CHECK(!both.rows().lag());
    CHECK(both.agree());
  }
}

}  // namespace

TEST(rows_are_behind_what_they_have_not_had) {
  lazy_rows rows;
  const gradstep::row_history& history = rows.follow(5);
  CHECK(!rows.lag());
  CHECK(rows.behind(std::nullopt).empty());
  rows.record(update_of(1));
  rows.note_applied({{1, 3}, {}});
  CHECK(rows.lag());
  CHECK(rows.behind(std::nullopt) == row_numbers({0, 2, 4}));
  rows.record(update_of(2));
  rows.note_applied({{0, 1}, {}});
  CHECK_EQ(rows.updates(), size_t(2));
  CHECK_EQ(rows.last_update().rate, 2);
  CHECK(rows.behind(std::nullopt) == row_numbers({2, 3, 4}));
  CHECK(rows.behind(row_numbers{0, 3, 4}) == row_numbers({3, 4}));
  CHECK(history.applied == std::vector<int>({2, 2, 0, 1, 0}));
  rows.note_applied({rows.behind(std::nullopt), {}});
  CHECK(rows.behind(std::nullopt).empty());
  CHECK(rows.lag());  // the updates are kept until they are forgotten
  rows.forget();
  CHECK(!rows.lag());
  CHECK_EQ(rows.updates(), size_t(0));
  rows.record(update_of(3));
  CHECK(rows.behind(std::nullopt) == row_numbers({0, 1, 2, 3, 4}));
}

TEST(a_reserved_record_allocates_nothing) {
  lazy_rows rows;
  const gradstep::row_history& history = rows.follow(1);
  for (int i = 0; i < 100; ++i) {
    rows.reserve();
    const void* const before = history.steps.data();
    rows.record(update_of(i));
    CHECK_EQ(static_cast<const void*>(history.steps.data()), before);
  }
}

TEST(rows_that_caught_up_have_the_bits_of_dense_steps) {
  on_each_target([](const gradstep::target&) {
    random_numbers layouts(51);
    for (const dtype type : every_dtype)
      for (random_numbers* const laid_out : {static_cast<random_numbers*>(nullptr), &layouts}) {
        check_catching_up(type, momentum_settings(), 1, laid_out);
        check_catching_up(type, adamw_settings(), 2, laid_out);
      }
  });
}

TEST(some_rows_may_catch_up_alone) {
  twins both(dtype::f32, adamw_settings(), 2, nullptr);
  for (int t = 0; t < 4; ++t) both.step();
  const row_numbers behind = both.rows().behind(std::nullopt);
  CHECK(behind.size() >= 2);
  both.lazy_plan.catch_up(0, row_numbers{behind[0], behind[1]});
  both.check_rows({behind[0], behind[1]});
  CHECK(both.rows().behind(std::nullopt) == row_numbers(behind.begin() + 2, behind.end()));
  for (int t = 0; t < 4; ++t) both.step();
  both.lazy_plan.catch_up(0);
  CHECK(both.agree());
}

TEST(a_plan_tells_who_keeps_as_many_updates_as_may_be_kept) {
  twins both(dtype::f32, momentum_settings(), 1, nullptr);
  for (int t = 1; t < 1000; ++t) {
    both.step();
    if (!both.lazy_plan.plan().full_of_updates().empty()) CHECK_EQ(t, 1000);
  }
  both.step();
  CHECK(both.lazy_plan.plan().full_of_updates() == std::vector<int>({0}));
  both.lazy_plan.catch_up(0);
  CHECK(both.lazy_plan.plan().full_of_updates().empty());
  CHECK(both.agree());
}
