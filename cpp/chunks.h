// The tensors of a step cut into chunks of about the same number of bytes, for the threads to take one after
// the other: small enough to balance, large enough to stream.
#pragma once

#include <atomic>
#include <deque>
#include <vector>

#include "reduction.h"
#include "slot.h"
#include "threads.h"
#include "without_gil.h"

namespace gradstep {

struct chunk {
  int tensor;
  int64_t first, count;
};

class chunk_list {
 public:
  // Keeps the last cut while the same tensors step on as many threads, if none of them has `moved`.
  void cut(std::deque<slot>& slots, const std::vector<int>& active, bool moved, int threads);

  const std::vector<int>& tensors() const { return tensors_; }  // that the chunks were cut for

  sums total(const slot& tensor) const;  // of its leaves

  // f(chunk) for each chunk, on the threads that it was cut for, with the GIL released.
  template <class F>
  void run(const F& f) const {
    struct shared {
      const std::vector<chunk>& chunks;
      const F& f;
      std::atomic<size_t> next = 0;
    } work = {chunks_, f};
    const auto body = [](void* data) {
      shared& work = *static_cast<shared*>(data);
      for (size_t i; (i = work.next.fetch_add(1, std::memory_order_relaxed)) < work.chunks.size();)
        work.f(work.chunks[i]);
    };
    without_gil([&] { run_parallel(threads_, body, &work); });
  }

 private:
  std::vector<chunk> chunks_;
  std::vector<int> tensors_;
  std::vector<sums> leaves_;
  int threads_ = 0;
};

}  // namespace gradstep
