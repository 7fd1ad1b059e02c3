// Parallel regions on the pool of our own: an OpenMP runtime, which would be used in its place, is not
// loaded.
#include "host/threads.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cfenv>
#include <chrono>
#include <thread>

#include "check.h"
#include "meeting.h"
#include "processes.h"

using namespace checks;
using gradstep::run_parallel;

namespace {

constexpr int piece_count = 1000;

// Work that is taken in pieces from a counter, as chunks are.
struct shared_work {
  std::atomic<int> next = 0, entered = 0;
  std::array<std::atomic<int>, piece_count> times = {};

  static void take(void* data) {
    shared_work& work = *static_cast<shared_work*>(data);
    ++work.entered;
    for (int i; (i = work.next++) < piece_count;) ++work.times[size_t(i)];
  }
  bool is_complete() const {
    return std::all_of(times.begin(), times.end(), [](const std::atomic<int>& each) { return each == 1; });
  }
};

bool completes(int threads) {
  shared_work work;
  run_parallel(threads, shared_work::take, &work);
  return work.is_complete() && work.entered >= 1 && work.entered <= threads;
}

bool completes_with(int most_threads) {
  for (int threads = 1; threads <= most_threads; ++threads)
    if (!completes(threads)) return false;
  return true;
}

}  // namespace

TEST(the_pool_is_our_own) { CHECK_EQ(std::string(gradstep::thread_source()), "own"); }

TEST(all_work_is_done_by_any_number_of_threads) {
  for (int round = 0; round < 20; ++round) CHECK(completes_with(16));
}

TEST(helpers_work_beside_the_caller) {
  meeting all = {.expected = 4};
  run_parallel(4, meeting::join, &all);
  CHECK_EQ(all.present.load(), 4);
}

TEST(a_region_within_a_region_is_complete) {
  std::atomic<int> complete = 0;
  const auto body = [](void* data) { *static_cast<std::atomic<int>*>(data) += completes(3); };
  run_parallel(4, body, &complete);
  CHECK(complete >= 1);
  run_parallel(1, body, &complete);
  CHECK(complete >= 2);
}

TEST(regions_of_several_threads_are_complete) {
  std::atomic<int> complete = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 6; ++i)
    callers.emplace_back([&] {
      for (int round = 0; round < 100; ++round) complete += completes(1 + round % 5);
    });
  for (std::thread& each : callers) each.join();
  CHECK_EQ(complete.load(), 600);
}

TEST(every_thread_rounds_to_nearest) {
  static const auto rounds_up = [] {
    volatile double one = 1, little = 0x1p-60;
    return one + little > 1;
  };
  struct counts {
    meeting all = {.expected = 4};
    std::atomic<int> nearest = 0;
  } found;
  std::fesetround(FE_UPWARD);
  run_parallel(
      4,
      [](void* data) {
        counts& found = *static_cast<counts*>(data);
        meeting::join(&found.all);
        found.nearest += !rounds_up();
      },
      &found);
  const bool restored = rounds_up();
  std::fesetround(FE_TONEAREST);
  CHECK_EQ(found.nearest.load(), 4);
  CHECK(restored);
}

TEST(a_child_has_a_pool_of_its_own) {
  CHECK(completes(4));
  const int here = gradstep::fork_generation();
  const auto works = [] {
    meeting all = {.expected = most_threads_of_a_child};
    run_parallel(most_threads_of_a_child, meeting::join, &all);
    return all.present == most_threads_of_a_child && completes_with(most_threads_of_a_child) &&
           std::string(gradstep::thread_source()) == "own";
  };
  CHECK(holds_in_child([&] {
    const int generation = gradstep::fork_generation();
    const bool grandchild_works =
        holds_in_child([&] { return works() && gradstep::fork_generation() != generation; });
    return generation != here && works() && grandchild_works;
  }));
  CHECK_EQ(gradstep::fork_generation(), here);
  CHECK(completes(4));
}

TEST(a_fork_waits_for_a_run_in_flight) {
  std::atomic<bool> started = false;
  int numbers[2] = {};
  std::thread writer([&] {
    const gradstep::run_in_flight in_flight;
    numbers[0] = 1;
    started = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // a fork that does not wait comes now
    numbers[1] = 1;
  });
  while (!started) std::this_thread::yield();
  CHECK(holds_in_child([&] { return numbers[0] == 1 && numbers[1] == 1; }));
  writer.join();
}

TEST(no_run_begins_while_a_fork_is_made) {
  std::atomic<bool> stop = false;
  std::atomic<int> numbers[2] = {};
  std::thread writer([&] {
    for (int run = 1; !stop; ++run) {
      const gradstep::run_in_flight in_flight;
      numbers[0] = run;
      for (int i = 0; i < 1000; ++i) numbers[1] = -i;
      numbers[1] = run;
    }
  });
  for (int i = 0; i < 60; ++i)
    CHECK(holds_in_child([&] {
      alarm(10);  // a child that counts the run of a thread which it has not waits for it for ever
      return numbers[0] == numbers[1] && holds_in_child([] { return true; });
    }));
  stop = true;
  writer.join();
}

#if defined(__linux__)
TEST(hardware_threads_are_those_that_may_run) {
  cpu_set_t allowed;
  CHECK_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  CHECK_EQ(gradstep::hardware_threads(), CPU_COUNT(&allowed));
  CHECK(holds_in_child([] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    return sched_setaffinity(0, sizeof one, &one) == 0 && gradstep::hardware_threads() == 1;
  }));
}
#endif
