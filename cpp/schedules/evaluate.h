// The only evaluator of schedules: a stack machine over `width` steps at once (one in a CUDA thread).
#pragma once

#include <type_traits>

#include "schedules/list.h"
#include "schedules/program.h"

namespace gradstep::GS_TARGET {

// A struct of doubles is its numbers, in order; one with a list of them says how it is read.
template <class Operation>
GS_HD Operation read_operation([[maybe_unused]] const double* numbers, [[maybe_unused]] int count) {
  if constexpr (requires { Operation::least_numbers; }) {
    return Operation::read(numbers, count);
  } else {
    Operation operation;
    if constexpr (!std::is_empty_v<Operation>) __builtin_memcpy(&operation, numbers, sizeof operation);
    return operation;
  }
}

// A step as a double, in vectors on every target; exact up to 2^53, where steps end.
GS_HD double to_time(int64_t t) {
  const double high = from_bits(uint64_t(t) >> 32 | 0x4530000000000000);  // 2^84 + 2^32 times the upper half
  const double low = from_bits(uint32_t(t) | 0x4330000000000000);         // 2^52 + the lower half
  return (high - (0x1p84 + 0x1p52)) + low;
}

// A function of t and its power, the latter as a number or as one of the types that stand for the commonest.
template <class F, class Exponent>
struct with_power {
  F f;
  Exponent exponent;
  GS_HD double operator()(double t) const { return f(t, exponent); }
};

template <int width>
struct schedule_machine {
  double times[schedule_depth_limit][width];
  double values[schedule_depth_limit][width];
  int steps;       // in use, up to width
  int time = 0;    // the top of times
  int value = -1;  // the top of values

  template <class F>
  GS_HD void fill(double* out, F f) const {
    for (int i = 0; i < steps; ++i) out[i] = f(times[time][i]);
  }
  template <class F>
  GS_HD void map(double* out, const F& f) const {
    if constexpr (requires { f.power; }) {
      if (f.power == 1) return fill(out, with_power<F, exponent_one>{f, {}});
      if (f.power == 2) return fill(out, with_power<F, exponent_two>{f, {}});
      if (f.power == 0.5) return fill(out, with_power<F, exponent_half>{f, {}});
      fill(out, with_power<F, double>{f, f.power});
    } else {
      fill(out, f);
    }
  }

  template <class F>
  GS_HD void leaf(const F& f) {
    map(values[++value], f);
  }
  template <class F>
  GS_HD void clock(const F& f) {
    map(times[time + 1], f);
    ++time;
  }
  template <class F>
  GS_HD void unary(const F& f) {
    for (int i = 0; i < steps; ++i) values[value][i] = f(times[time][i], values[value][i]);
  }
  template <class F>
  GS_HD void binary(const F& f) {
    --value;
    for (int i = 0; i < steps; ++i) {
      values[value][i] = f(times[time][i], values[value][i], values[value + 1][i]);
    }
  }
};

enum class operation : int32_t {
#define GS_NUMBER(kind, name) name,
  GS_OPERATIONS(GS_NUMBER)
#undef GS_NUMBER
      back
};

// The program's value at each of `steps` steps, up to width.
template <int width>
GS_HD void evaluate_steps(const program& code, const int64_t* t, double* out, int steps) {
  schedule_machine<width> machine;
  machine.steps = steps;
  for (int i = 0; i < steps; ++i) machine.times[0][i] = to_time(t[i]);
  for (int32_t at = 0; at < code.length; ++at) {
    const instruction now = code.code[at];
    const double* const numbers = code.numbers + now.first;
    switch (operation(now.operation)) {
#define GS_RUN(kind, name)                                                  \
  case operation::name:                                                     \
    machine.kind(read_operation<schedules::name>(numbers, int(now.count))); \
    break;
      GS_OPERATIONS(GS_RUN)
#undef GS_RUN
      case operation::back:
        --machine.time;
        break;
    }
  }
  for (int i = 0; i < steps; ++i) out[i] = machine.values[0][i];
}

}  // namespace gradstep::GS_TARGET
