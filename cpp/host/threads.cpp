#include "host/threads.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <thread>

#include "host/ieee_mode.h"

namespace gradstep {

namespace {

struct region {
  void (*body)(void*);
  void* data;
};

void run_in_ieee_mode(void* argument) {
  const ieee_mode mode;
  const region& work = *static_cast<region*>(argument);
  work.body(work.data);
}

// Helpers that sleep until there is work. Nothing that it throws reaches a step, which may have written by
// then. Never destroyed: its threads may outlive the interpreter's exit.
class pool {
 public:
  // False if another thread's region is running; the caller then does the work alone.
  bool run(int helpers, region work) {
    const std::unique_lock<std::mutex> one_region(busy_, std::try_to_lock);
    if (!one_region) return false;
    grow(helpers);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      work_ = work;
      wanted_ = running_ = helpers < size_ ? helpers : size_;
    }
    wake_.notify_all();
    run_in_ieee_mode(&work);
    std::unique_lock<std::mutex> lock(mutex_);
    running_ -= wanted_;  // helpers that did not start in time are no longer needed
    wanted_ = 0;
    done_.wait(lock, [&] { return running_ == 0; });
    return true;
  }

 private:
  void grow(int helpers) {
    try {
      for (; size_ < helpers; ++size_) std::thread([this] { serve(); }).detach();
    } catch (const std::exception&) {
      // The system has no more threads, or no memory for one: fewer helpers do the same work.
    }
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return wanted_ > 0; });
      --wanted_;
      region work = work_;
      lock.unlock();
      run_in_ieee_mode(&work);
      lock.lock();
      if (--running_ == 0) done_.notify_one();
    }
  }

  std::mutex busy_, mutex_;
  std::condition_variable wake_, done_;
  region work_{};
  int size_ = 0, wanted_ = 0, running_ = 0;
};

std::atomic<pool*> own_pool = nullptr;
std::atomic<int> generation = 1;  // of processes
std::atomic<int> runs_in_flight = 0;
std::atomic<int> forks_coming = 0;  // of as many threads: no run begins until they are made

void before_fork() {
  ++forks_coming;
  while (runs_in_flight > 0) sched_yield();
}

void after_fork_in_parent() { --forks_coming; }

void after_fork_in_child() {
  forks_coming = runs_in_flight = 0;  // of threads that stayed behind
  ++generation;
  own_pool = nullptr;  // its threads stayed behind in the parent
}

// Null where there is no memory for it.
pool* get_own_pool() {
  pool* current = own_pool;
  if (current) return current;
  pool* fresh = new (std::nothrow) pool;
  if (!fresh || own_pool.compare_exchange_strong(current, fresh)) return fresh;
  delete fresh;
  return current;
}

using openmp_parallel = void (*)(void (*)(void*), void*, unsigned threads, unsigned flags);

// GNU OpenMP's entry point, which LLVM's runtime offers too. A forked child has none of its threads.
openmp_parallel find_openmp() {
  static std::atomic<openmp_parallel> found = nullptr;
  if (generation > 1) return nullptr;
  if (!found) found = reinterpret_cast<openmp_parallel>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  return found;
}

}  // namespace

void run_parallel(int threads, void (*body)(void*), void* data) {
  region work = {body, data};
  if (threads > 1) {
    if (const openmp_parallel parallel = find_openmp())
      return parallel(run_in_ieee_mode, &work, unsigned(threads), 0);
    pool* const own = get_own_pool();
    if (own && own->run(threads - 1, work)) return;
  }
  run_in_ieee_mode(&work);
}

void watch_forks() { pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child); }

int fork_generation() { return generation; }

run_in_flight::run_in_flight() {
  while (++runs_in_flight, forks_coming > 0) {
    --runs_in_flight;
    while (forks_coming > 0) sched_yield();
  }
}
run_in_flight::~run_in_flight() { --runs_in_flight; }

int hardware_threads() {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  return int(std::thread::hardware_concurrency());
}

const char* thread_source() { return find_openmp() ? "openmp" : "own"; }

}  // namespace gradstep
