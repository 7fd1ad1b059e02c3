// A child process for tests of forks.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace checks {

constexpr unsigned seconds_to_hang = 120;

// ThreadSanitizer takes threads of a child for those that stayed behind in the parent, whose stacks they are
// given, and ends the child. It looks at nothing there anyway.
#if defined(__SANITIZE_THREAD__)
constexpr int most_threads_of_a_child = 1;
#else
constexpr int most_threads_of_a_child = 3;
#endif

// Whether the child of a fork, which runs this and ends, finds it true. A child that hangs is ended.
template <class Holds>
bool holds_in_child(const Holds& holds) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(seconds_to_hang);
    _exit(holds() ? 0 : 1);
  }
  int status = 1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace checks
