// A schedule as data: instructions in postfix order over a pool of numbers. One step, an array of steps and
// a kernel evaluate the same program (evaluate.h).
#pragma once

#include <cstdint>

namespace gradstep {

constexpr int schedule_depth_limit = 16;  // values, and times, that wait at once

struct instruction {
  int32_t operation;  // its place in the list of operations (list.h)
  int32_t first;      // its numbers in the pool
  int32_t count;

  bool operator==(const instruction&) const = default;
};

struct program {
  const instruction* code;
  const double* numbers;
  int32_t length;
};

enum class operation_kind {
  leaf,    // pushes a value: f(t)
  clock,   // pushes a time, which the instructions up to its `back` see: f(t)
  unary,   // replaces the value on top: f(t, a)
  binary,  // replaces the two values on top: f(t, a, b)
  back,    // pops the time
};

struct operation_entry {
  const char* name;
  operation_kind kind;
  int numbers;   // that it takes,
  bool or_more;  // or at least
};

}  // namespace gradstep
