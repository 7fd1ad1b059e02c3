// The tensors of a step cut into chunks of about the same number of bytes, which threads take one after
// another: small enough to balance the threads, large enough to stream.
#pragma once

#include <atomic>
#include <vector>

#include "host/reductions.h"
#include "host/task.h"
#include "host/threads.h"
#include "step/caller_lock.h"

namespace gradstep {

struct chunk {
  const tensor_task* task;
  int64_t first, count;
};

sums total(const tensor_task& task);  // of its leaves

class chunk_list {
 public:
  // Keeps the last cut while the same tensors are visited on as many threads, if none of them has `moved`.
  void cut(const std::vector<tensor_task*>& tasks, bool moved, int threads);

  const std::vector<tensor_task*>& tasks() const { return tasks_; }  // that the chunks were cut for

  sums total() const;  // of all tensors

  // f(chunk) for each chunk, on the threads that it was cut for, with the caller's lock released.
  template <class F>
  void run(const F& f) const {
    run(chunks_, f);
  }
  // The same for the bands of rows of tensors that are seen as matrices.
  template <class F>
  void run_bands(const F& f) const {
    run(bands_, f);
  }
  bool has_matrices() const { return !bands_.empty(); }

 private:
  template <class F>
  void run(const std::vector<chunk>& chunks, const F& f) const {
    struct shared {
      const std::vector<chunk>& chunks;
      const F& f;
      std::atomic<size_t> next = 0;
    } work = {chunks, f};
    const auto body = [](void* data) {
      shared& work = *static_cast<shared*>(data);
      for (size_t i; (i = work.next.fetch_add(1, std::memory_order_relaxed)) < work.chunks.size();)
        work.f(work.chunks[i]);
    };
    unlocked([&] {
      const run_in_flight in_flight;
      run_parallel(threads_, body, &work);
    });
  }

  std::vector<chunk> chunks_, bands_;
  std::vector<tensor_task*> tasks_;
  std::vector<sums> leaves_;
  int threads_ = 0;
};

}  // namespace gradstep
