// What several threads do at once, above all for ThreadSanitizer: plans that step side by side, the pool
// between them, forks in the middle, arrays that move.
#include <memory>
#include <mutex>
#include <thread>

#include "meeting.h"
#include "processes.h"
#include "stepping.h"

using namespace checks;

namespace {

constexpr int steps = 12;

// A tensor in training that is large enough for helpers. Its arrays lie elsewhere in each step if it `moves`.
class training {
 public:
  training(uint64_t seed, bool moves) : moves_(moves) {
    random_numbers random(seed);
    arrays_->parameter.fill([&] { return random.uniform(); });
    arrays_->gradient.fill([&] { return random.uniform(); });
    arrays_->add_to(plan_);
  }

  void step(int threads = 3) {
    if (moves_) move();
    plan_.step(groups_, {.threads = threads, .skip_nonfinite = true, .stats = true});
    norms_ += std::to_string(plan_.report().update_norm) + " ";
  }

  std::string bits() const {
    return bits_of(arrays_->parameter) + bits_of(arrays_->states[0]) + bits_of(arrays_->states[1]) + norms_;
  }

 private:
  void move() {
    auto elsewhere = std::make_unique<tensor_arrays>(dtype::f32, size_, 2);
    elsewhere->parameter.set(arrays_->parameter.numbers());
    elsewhere->gradient.set(arrays_->gradient.numbers());
    for (size_t k = 0; k < 2; ++k) elsewhere->states[k].set(arrays_->states[k].numbers());
    plan_.move(0, elsewhere->parameter.view(), elsewhere->gradient.view(), elsewhere->state());
    arrays_ = std::move(elsewhere);  // the memory of before is freed
  }

  const shape size_ = {300, 250};
  const std::vector<group_settings> groups_ = {adamw_settings()};
  const bool moves_;
  std::unique_ptr<tensor_arrays> arrays_ = std::make_unique<tensor_arrays>(dtype::f32, size_, 2);
  test_plan plan_;
  std::string norms_;
};

std::string bits_of_training_alone(uint64_t seed) {
  training alone(seed, false);
  for (int t = 0; t < steps; ++t) alone.step();
  return alone.bits();
}

// A lock such as Python's: who steps holds it, but for the runs over arrays.
class lock_of_callers {
 public:
  lock_of_callers() : before_(gradstep::current_caller_lock()) {
    gradstep::set_caller_lock({[]() -> void* {
                                 mutex_.unlock();
                                 return nullptr;
                               },
                               [](void*) { mutex_.lock(); }});
  }
  ~lock_of_callers() { gradstep::set_caller_lock(before_); }
  lock_of_callers(const lock_of_callers&) = delete;

  std::unique_lock<std::mutex> hold() { return std::unique_lock(mutex_); }

 private:
  static inline std::mutex mutex_;
  const gradstep::caller_lock before_;
};

constexpr int count = 3;  // of trainings side by side

std::vector<std::string> bits_of_each_alone() {
  std::vector<std::string> found;
  for (int i = 0; i < count; ++i) found.push_back(bits_of_training_alone(uint64_t(i)));
  return found;
}

// Each training in a thread of its own, with the bits that it has alone.
template <class Step>
void check_side_by_side(const std::vector<std::string>& expected, bool some_move, const Step& step) {
  std::vector<std::string> found(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      training one(uint64_t(i), some_move && i > 0);
      for (int t = 0; t < steps; ++t) step(one);
      found[size_t(i)] = one.bits();
    });
  for (std::thread& each : threads) each.join();
  CHECK(found == expected);
}

// Numbers that no atomic protects: a region has them written before it returns.
struct squares {
  meeting all;
  std::atomic<int> next = 0;
  std::vector<int> found = std::vector<int>(2000);

  explicit squares(int threads) : all{.expected = threads} {}
  static void take(void* data) {
    squares& its = *static_cast<squares*>(data);
    meeting::join(&its.all);
    for (int i; (i = its.next.fetch_add(1, std::memory_order_relaxed)) < int(its.found.size());)
      its.found[size_t(i)] = i * i;
  }
  bool are_right() const {
    for (int i = 0; i < int(found.size()); ++i)
      if (found[size_t(i)] != i * i) return false;
    return true;
  }
};

}  // namespace

TEST(plans_step_side_by_side) {
  const std::vector<std::string> expected = bits_of_each_alone();
  for (const bool some_move : {false, true})
    check_side_by_side(expected, some_move, [](training& one) { one.step(); });
}

TEST(plans_step_side_by_side_under_the_lock_of_their_callers) {
  const std::vector<std::string> expected = bits_of_each_alone();
  lock_of_callers lock;
  for (const bool some_move : {false, true})
    check_side_by_side(expected, some_move, [&](training& one) {
      const auto held = lock.hold();
      one.step();
    });
}

TEST(what_helpers_write_is_seen_by_the_caller) {
  for (int round = 0; round < 100; ++round) {
    squares some(3);
    gradstep::run_parallel(3, squares::take, &some);
    CHECK(some.are_right());
  }
}

TEST(several_threads_share_the_pool) {
  std::vector<std::thread> users;
  for (int i = 0; i < 3; ++i)
    users.emplace_back([] {
      for (int round = 0; round < 100; ++round) {
        squares some(1);  // the pool may be busy
        gradstep::run_parallel(4, squares::take, &some);
        CHECK(some.are_right());
      }
    });
  for (std::thread& each : users) each.join();
}

TEST(a_child_steps_on_while_others_step) {
  const std::string expected = bits_of_training_alone(0);
  lock_of_callers lock;
  std::atomic<bool> stop = false;
  std::vector<std::thread> others;
  for (uint64_t i = 1; i <= 2; ++i)
    others.emplace_back([&, i] {
      training one(i, i == 2);
      while (!stop) {
        const auto held = lock.hold();
        one.step();
      }
    });
  auto held = lock.hold();
  training one(0, true);
  for (int t = 0; t < steps; ++t) {
    if (t % 3 == 2)
      CHECK(holds_in_child([&] {
        for (int next = t; next < steps; ++next) one.step(most_threads_of_a_child);
        return one.bits() == expected;
      }));
    one.step();
  }
  CHECK(one.bits() == expected);
  held.unlock();
  stop = true;
  for (std::thread& each : others) each.join();
}
