// The lock that the caller of the core may hold, as Python holds the GIL. The core releases it while it works
// on arrays alone or waits for a device.
#pragma once

#include <exception>

namespace gradstep {

struct caller_lock {
  void* (*release)();
  void (*take)(void* released);
};

// To be called once, by a caller that has such a lock.
void set_caller_lock(const caller_lock& lock);
const caller_lock& current_caller_lock();

template <class F>
void unlocked(const F& work) {
  const caller_lock& lock = current_caller_lock();
  void* const released = lock.release();
  std::exception_ptr failure;
  try {
    work();
  } catch (...) {
    failure = std::current_exception();
  }
  lock.take(released);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace gradstep
