// Threads that wait for one another, so that a test of several is none of a single one.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "processes.h"

namespace checks {

// A region whose bodies wait for one another, as long as there is hope that so many come.
struct meeting {
  std::atomic<int> present = 0;
  int expected;

  static void join(void* data) {
    meeting& here = *static_cast<meeting*>(data);
    ++here.present;
    const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(seconds_to_hang);
    while (here.present < here.expected && std::chrono::steady_clock::now() < last) std::this_thread::yield();
  }
};

}  // namespace checks
