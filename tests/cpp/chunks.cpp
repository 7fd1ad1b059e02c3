// How the tensors of a step are cut into chunks, and that each chunk is run once.
#include "host/chunks.h"

#include <map>
#include <mutex>
#include <set>
#include <stdexcept>

#include "host/gradients.h"
#include "tasks.h"

using namespace checks;
using gradstep::chunk, gradstep::chunk_list, gradstep::leaf_elements, gradstep::tensor_task;

namespace {

// A task of so many elements, which nobody reads.
tensor_task sized_task(int64_t size, dtype type) {
  tensor_task task;
  task.parameter.type = task.gradient.type = type;
  task.size = size;
  return task;
}

struct run_piece {
  int64_t first, count;

  bool operator<(const run_piece& other) const { return first < other.first; }
};
using pieces = std::map<const tensor_task*, std::multiset<run_piece>>;

pieces pieces_run(const chunk_list& chunks) {
  pieces found;
  std::mutex lock;
  chunks.run([&](const chunk& each) {
    const std::lock_guard<std::mutex> held(lock);
    found[each.task].insert({each.first, each.count});
  });
  return found;
}

int64_t count_of(const pieces& all) {
  int64_t count = 0;
  for (const auto& [task, its] : all) count += int64_t(its.size());
  return count;
}

// Each element once, cut at multiples of a leaf.
void check_cover(const tensor_task& task, const std::multiset<run_piece>& its) {
  int64_t next = 0;
  for (const run_piece& each : its) {
    CHECK_EQ(each.first, next);
    CHECK_EQ(each.first % leaf_elements, 0);
    CHECK(each.count > 0);
    next += each.count;
  }
  CHECK_EQ(next, task.size);
}

std::vector<tensor_task> any_tasks(random_numbers& random) {
  std::vector<tensor_task> tasks;
  const int64_t sizes[] = {
      0, 1, leaf_elements - 1, leaf_elements, leaf_elements + 1, 5 * leaf_elements, 3'000'000};
  for (int64_t i = random.between(1, 12); i > 0; --i)
    tasks.push_back(sized_task(random.chance(2) ? sizes[random.between(0, 6)] : random.between(0, 200'000),
                               every_dtype[random.between(0, 3)]));
  return tasks;
}

}  // namespace

TEST(each_element_is_in_one_chunk) {
  random_numbers random(10);
  for (int trial = 0; trial < 60; ++trial) {
    std::vector<tensor_task> tasks = any_tasks(random);
    for (int threads = 1; threads <= 8; ++threads) {
      chunk_list chunks;
      chunks.cut(pointers(tasks), true, threads);
      pieces run = pieces_run(chunks);
      for (const tensor_task& each : tasks) check_cover(each, run[&each]);
      CHECK_EQ(run.size(), tasks.size());
    }
  }
}

TEST(a_large_tensor_is_cut_for_all_threads) {
  std::vector<tensor_task> tasks = {sized_task(1'000'000, dtype::f32)};
  for (int threads = 2; threads <= 8; ++threads) {
    chunk_list chunks;
    chunks.cut(pointers(tasks), true, threads);
    CHECK(count_of(pieces_run(chunks)) >= 8 * threads);
  }
}

TEST(a_cut_is_kept_until_a_tensor_moves) {
  std::vector<tensor_task> tasks = {sized_task(100'000, dtype::f32), sized_task(70'000, dtype::f32)};
  chunk_list chunks;
  chunks.cut(pointers(tasks), true, 2);
  const int64_t count = count_of(pieces_run(chunks));
  tasks[0].size = 1'000'000;
  chunks.cut(pointers(tasks), false, 2);
  CHECK_EQ(count_of(pieces_run(chunks)), count);  // nobody has said that it moved
  chunks.cut(pointers(tasks), true, 2);
  pieces run = pieces_run(chunks);
  check_cover(tasks[0], run[&tasks[0]]);
  chunks.cut(pointers(tasks), false, 8);
  CHECK(count_of(pieces_run(chunks)) > count_of(run));  // other threads
  chunks.cut({&tasks[1]}, false, 8);
  run = pieces_run(chunks);
  CHECK_EQ(run.size(), size_t(1));  // other tensors
  check_cover(tasks[1], run[&tasks[1]]);
}

TEST(sums_depend_on_no_number_of_threads) {
  random_numbers random(11);
  const std::vector<array> gradients = any_gradients(random, 12);
  std::vector<tensor_task> tasks = gradient_tasks(gradients);
  on_each_target([&](const gradstep::target&) {
    chunk_list alone;
    alone.cut(pointers(tasks), true, 1);
    const gradstep::sums expected = gradstep::sum_gradients(alone, 0.37);
    for (int threads = 2; threads <= 8; ++threads) {
      chunk_list chunks;
      chunks.cut(pointers(tasks), true, threads);
      CHECK(same_sums(gradstep::sum_gradients(chunks, 0.37), expected));
    }
  });
}

TEST(the_lock_of_the_caller_is_released_while_chunks_run) {
  static std::atomic<bool> held = true;
  const gradstep::caller_lock before = gradstep::current_caller_lock();
  gradstep::set_caller_lock({[]() -> void* {
                               held = false;
                               return nullptr;
                             },
                             [](void*) { held = true; }});
  std::vector<tensor_task> tasks = {sized_task(10, dtype::f32)};
  chunk_list chunks;
  chunks.cut(pointers(tasks), true, 1);
  bool held_in_run = true;
  chunks.run([&](const chunk&) { held_in_run = held; });
  CHECK(!held_in_run);
  CHECK(held);
  CHECK_THROWS(chunks.run([](const chunk&) { throw std::runtime_error("of the work"); }), std::runtime_error);
  CHECK(held);
  gradstep::set_caller_lock(before);
}
