#include "python/standalone_host.h"

#include <cstring>
#include <vector>

#include "host/block.h"
#include "host/chunks.h"
#include "host/gradients.h"
#include "host/simd/dispatch.h"
#include "plan/host_updates.h"

namespace gradstep {

namespace {

chunk_list cut(standalone_arrays& arrays, int threads) {
  std::vector<tensor_task*> tasks;
  for (tensor_task& each : arrays.tasks()) tasks.push_back(&each);
  chunk_list chunks;
  chunks.cut(tasks, true, threads);
  return chunks;
}

const transform_bodies& transforms(const tensor_task& task) {
  return active_target().transforms[int(task.type)];
}

void prepare_run(const tensor_task& task, const gradient_transform& stage, int64_t first, int64_t count) {
  block gradient(active_target(), task.gradient, task.type);
  for_each_block(first, count, [&](int64_t at, int64_t n) {
    void* const g = gradient.read(at, n);
    transforms(task).transform_gradients(g, n, stage);
    gradient.write(at, n);
  });
}

void average_run(const tensor_task& task, double weight, int64_t first, int64_t count) {
  block parameter(active_target(), task.parameter, task.type);
  block average(active_target(), task.average, task.type);
  for_each_block(first, count, [&](int64_t at, int64_t n) {
    transforms(task).average(average.read(at, n), parameter.read(at, n), n, weight);
    average.write(at, n);
  });
}

void cast_run(const tensor_task& task, int64_t first, int64_t count) {
  block parameter(active_target(), task.parameter, task.type);
  block copy(active_target(), task.copy, task.type);
  for_each_block(first, count, [&](int64_t at, int64_t n) { copy.put(parameter.read(at, n), at, n); });
}

}  // namespace

void host_operations::transform(standalone_arrays& gradients, const gradient_transform& stage) {
  cut(gradients, threads_).run([&](const chunk& each) {
    prepare_run(*each.task, stage, each.first, each.count);
  });
}

sums host_operations::sum(standalone_arrays& gradients, double by) {
  return sum_gradients(cut(gradients, threads_), by);
}

sums host_operations::sum_transformed(standalone_arrays& gradients, const gradient_transform& stage) {
  const chunk_list chunks = cut(gradients, threads_);
  chunks.run([&](const chunk& each) {
    for_each_leaf(each.first, each.count, [&](int64_t, int64_t first, int64_t end) {
      prepare_run(*each.task, stage, first, end - first);
      sum_gradient_run(active_target(), *each.task, 1, first, end - first);  // what has been written, in L1
    });
  });
  return chunks.total();
}

void host_operations::fill_with_zeros(standalone_arrays& gradients) {
  cut(gradients, threads_).run([](const chunk& each) { zero_run(*each.task, each.first, each.count); });
}

void host_operations::follow(standalone_arrays& averages_or_copies, double weight) {
  cut(averages_or_copies, threads_).run([&](const chunk& each) {
    if (each.task->has_average) average_run(*each.task, weight, each.first, each.count);
    if (each.task->has_copy) cast_run(*each.task, each.first, each.count);
  });
}

void host_operations::read(void* to, const void* from, size_t bytes, const standalone_arrays&) {
  std::memcpy(to, from, bytes);
}

void host_operations::write(void* to, const void* from, size_t bytes, const standalone_arrays&) {
  std::memcpy(to, from, bytes);
}

}  // namespace gradstep
