// Code of others that runs while arrays are read, and may move any of them.
#pragma once

#include <pybind11/cast.h>

#include <cstdint>

namespace gradstep {

// Counts the calls of code that may move any array: functions of Python. Arrays that were read before such a
// call are read again before anything is written.
uint64_t foreign_calls();
void count_foreign_call();
[[noreturn]] void refuse_moving();  // of arrays by such code, while they are read

// Goes on after an error that says that an array can't be read so; one that is none of that, such as a
// KeyboardInterrupt in code of others, is let through.
void clear_refusal();

// While arrays are read the garbage collector rests: what it frees may run code that moves another.
class no_garbage_collection {
 public:
  no_garbage_collection();
  ~no_garbage_collection();
  no_garbage_collection(const no_garbage_collection&) = delete;

  // In the child of a fork(): those threads have stayed behind, and will not end their pauses.
  static void end_pauses_of_other_threads();

 private:
  const bool was_on_;
};

}  // namespace gradstep
