#include "chunks.h"

#include <algorithm>

namespace gradstep {

namespace {

constexpr int64_t largest_chunk = 1 << 22;  // in bytes of all its arrays
constexpr int64_t serial_elements =
    16 * leaf_elements;  // below this, waking a thread costs more than it saves

int64_t leaf_count(const slot& tensor) { return (tensor.size + leaf_elements - 1) / leaf_elements; }

}  // namespace

void chunk_list::cut(std::deque<slot>& slots, const std::vector<int>& active, bool moved, int threads) {
  int64_t elements = 0;
  for (const int index : active) elements += slots[size_t(index)].size;
  if (elements < serial_elements) threads = 1;
  if (!moved && threads_ == threads && tensors_ == active) return;
  int64_t bytes = 0, leaves = 0;
  for (const int index : active) {
    const slot& tensor = slots[size_t(index)];
    bytes += tensor.size * tensor.task.element_bytes();
    leaves += leaf_count(tensor);
  }
  leaves_.assign(size_t(leaves), {});
  sums* next_leaf = leaves_.data();
  const int64_t chunk_bytes = threads > 1 ? std::min(largest_chunk, bytes / (threads * 16)) : largest_chunk;
  chunks_.clear();
  for (const int index : active) {
    slot& tensor = slots[size_t(index)];
    tensor.task.leaves = next_leaf;
    next_leaf += leaf_count(tensor);
    const int64_t length = (chunk_bytes / tensor.task.element_bytes() / leaf_elements + 1) * leaf_elements;
    for (int64_t first = 0; first < tensor.size; first += length)
      chunks_.push_back({index, first, std::min(length, tensor.size - first)});
  }
  tensors_ = active;
  threads_ = threads;
}

sums chunk_list::total(const slot& tensor) const {
  const int64_t count = leaf_count(tensor);
  if (count == 1) return *tensor.task.leaves;  // most tensors are small
  return add_pairwise({tensor.task.leaves, tensor.task.leaves + count});
}

}  // namespace gradstep
