// One parallel region: the caller and some helpers run the same body. If an OpenMP runtime is loaded
// (torch's), its threads are used, because a second pool would compete with its spinning workers for the
// cores. Otherwise, and in a child after fork(), a small pool of our own is used.
#pragma once

namespace gradstep {

// Runs body(data) on up to `threads` threads at once and returns when all have finished. The body takes its
// share of work from a common counter, so it is complete however many threads come, even the caller's alone.
void run_parallel(int threads, void (*body)(void*), void* data);

// To be called once, before any thread is used: notices when this process is the child of a fork().
void watch_forks();

// From 1 on, another number in the child of each fork().
int fork_generation();

// A run over arrays that is being made. A fork() waits until it is whole; to be ended before the GIL is taken
// again, which the thread that forks may hold.
class run_in_flight {
 public:
  run_in_flight();
  ~run_in_flight();
  run_in_flight(const run_in_flight&) = delete;
};

int hardware_threads();

// Where run_parallel finds its helpers now: "openmp" or "own".
const char* thread_source();

}  // namespace gradstep
