// The allocations of a thread, counted.
#pragma once

#include "check.h"

namespace checks {

inline thread_local int64_t allocations = 0;

// Fails where this thread allocates while it lives.
class no_allocations {
 public:
  no_allocations() = default;
  no_allocations(const no_allocations&) = delete;
  ~no_allocations() { CHECK_EQ(allocations, before_); }

 private:
  const int64_t before_ = allocations;
};

}  // namespace checks
