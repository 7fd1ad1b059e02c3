#include "host/chunks.h"

#include <algorithm>

namespace gradstep {

namespace {

constexpr int64_t largest_chunk = 1 << 22;  // in bytes of all its arrays
constexpr int64_t serial_elements =
    16 * leaf_elements;  // below this, waking a thread costs more than it saves

int64_t leaf_count(const tensor_task& task) { return (task.size + leaf_elements - 1) / leaf_elements; }

}  // namespace

sums total(const tensor_task& task) {
  const int64_t count = leaf_count(task);
  if (count == 1) return *task.leaves;  // most tensors are small
  return add_pairwise({task.leaves, task.leaves + count});
}

void chunk_list::cut(const std::vector<tensor_task*>& tasks, bool moved, int threads) {
  int64_t elements = 0;
  for (const tensor_task* task : tasks) elements += task->size;
  if (elements < serial_elements) threads = 1;
  if (!moved && threads_ == threads && tasks_ == tasks) return;
  int64_t bytes = 0, leaves = 0;
  for (const tensor_task* task : tasks) {
    bytes += task->size * task->element_bytes();
    leaves += leaf_count(*task);
  }
  leaves_.assign(size_t(leaves), {});
  sums* next_leaf = leaves_.data();
  const int64_t chunk_bytes = threads > 1 ? std::min(largest_chunk, bytes / (threads * 16)) : largest_chunk;
  chunks_.clear();
  bands_.clear();
  for (tensor_task* task : tasks) {
    task->leaves = next_leaf;
    next_leaf += leaf_count(*task);
    const int64_t length = (chunk_bytes / task->element_bytes() / leaf_elements + 1) * leaf_elements;
    for (int64_t first = 0; first < task->size; first += length)
      chunks_.push_back({task, first, std::min(length, task->size - first)});
    if (!task->matrix) continue;
    const matrix_sizes& sizes = task->matrix->sizes;
    for (int64_t band = 0; task->size > 0 && band < sizes.matrices * sizes.bands(); ++band) {
      const int64_t first = sizes.first_row(band);
      bands_.push_back({task, first * sizes.columns, (sizes.last_row(band) - first) * sizes.columns});
    }
  }
  tasks_ = tasks;
  threads_ = threads;
}

sums chunk_list::total() const {
  pairwise_sum all;
  for (const tensor_task* task : tasks_) all.add(gradstep::total(*task));
  return all.total();
}

}  // namespace gradstep
