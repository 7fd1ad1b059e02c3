#include "host/schedule.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "host/simd/dispatch.h"
#include "host/threads.h"

namespace gradstep {
namespace {

constexpr int64_t block_steps = 2048;      // what is checked is still in L1
constexpr int64_t parallel_steps = 32768;  // below this, waking a thread costs more than it saves

// Follows the heights of both stacks, so that the evaluator need not check them.
struct heights {
  int values = 0, times = 1;

  void follow(operation_kind kind) {
    const int taken = kind == operation_kind::binary ? 2 : kind == operation_kind::unary ? 1 : 0;
    if (values < taken) throw std::invalid_argument("the program takes a value that nothing pushed");
    if (kind == operation_kind::leaf) ++values;
    if (kind == operation_kind::binary) --values;
    if (kind == operation_kind::clock) ++times;
    if (kind == operation_kind::back) --times;
    if (times < 1) throw std::invalid_argument("the program goes back from a time that it never entered");
    check_height(values, "combine its parts from the left, a + b + c and not a + (b + c)");
    check_height(times, "shift, stretch, repeat, join or warm up its parts, not the whole again and again");
  }

  static void check_height(int height, const char* remedy) {
    if (height <= schedule_depth_limit) return;
    throw std::invalid_argument("this schedule is nested more than " + std::to_string(schedule_depth_limit) +
                                " deep: " + remedy);
  }
};

int32_t find_operation(const schedule::line& line) {
  const target& t = active_target();
  for (int32_t i = 0; i < t.operation_count; ++i) {
    const operation_entry& each = t.operations[i];
    if (each.name != line.first) continue;
    const int given = int(line.second.size());
    if (given < each.numbers || (given > each.numbers && !each.or_more)) {
      throw std::invalid_argument("'" + line.first + "' takes " + std::to_string(each.numbers) +
                                  " numbers, not " + std::to_string(given));
    }
    return i;
  }
  throw std::invalid_argument("there is no operation '" + line.first + "'");
}

void check_step(int64_t t) {
  if (t < 0 || t > step_limit) {
    throw std::invalid_argument("t is " + std::to_string(t) +
                                ": a step is the number of updates already applied, from 0 to 2**53");
  }
}

void check_value(int64_t t, double value) {
  if (std::isnan(value)) {
    throw std::invalid_argument(
        "the schedule has no value at t = " + std::to_string(t) +
        ": with past='error' it ends before; give it more steps, or past='hold' (or it divides 0 by "
        "0 there, takes a root of a negative number, or its parts have grown to infinity)");
  }
  if (std::isinf(value)) {
    throw std::invalid_argument("the schedule is infinite at t = " + std::to_string(t) +
                                ": it divides by zero there, or its parts have grown too large; bound it, "
                                "as in a / b.clip(lo=1e-8) or s.clip(hi=1)");
  }
}

// Both have no branch or comparison per element, so that they vectorise on the oldest machines.
bool all_are_steps(const int64_t* t, int64_t n) {
  uint64_t signs = 0;
  for (int64_t i = 0; i < n; ++i) signs |= uint64_t(t[i]) | (uint64_t(step_limit) - uint64_t(t[i]));
  return int64_t(signs) >= 0;
}

bool all_are_finite(const double* values, int64_t n) {
  uint64_t others = 0;  // x - x is 0 for a finite x, and NaN for any other
  for (int64_t i = 0; i < n; ++i) others |= std::bit_cast<uint64_t>(values[i] - values[i]);
  return others == 0;
}

}  // namespace

schedule::schedule(const std::vector<line>& lines) {
  heights now;
  for (const line& each : lines) {
    const int32_t operation = find_operation(each);
    now.follow(active_target().operations[operation].kind);
    code_.push_back({operation, int32_t(numbers_.size()), int32_t(each.second.size())});
    numbers_.insert(numbers_.end(), each.second.begin(), each.second.end());
  }
  if (now.values != 1 || now.times != 1)
    throw std::invalid_argument("a program leaves one value and its own time");
}

double schedule::at(int64_t t) const {
  double value;
  check_step(t);
  active_target().evaluate(view(), &t, &value, 1);
  check_value(t, value);
  return value;
}

void schedule::at(const int64_t* t, double* out, int64_t n, int threads) const {
  struct shared {
    const schedule& self;
    const int64_t* t;
    double* out;
    int64_t n;
    std::atomic<int64_t> next = 0;
    std::atomic<bool> refused = false;
  } work = {*this, t, out, n};
  const auto body = [](void* data) {
    shared& work = *static_cast<shared*>(data);
    for (int64_t first; (first = work.next.fetch_add(block_steps, std::memory_order_relaxed)) < work.n;) {
      const int64_t count = std::min(work.n - first, block_steps);
      if (!work.self.evaluate(work.t + first, work.out + first, count)) work.refused = true;
    }
  };
  if (n < parallel_steps) threads = 1;
  run_parallel(threads, body, &work);
  if (!work.refused) return;
  for (int64_t i = 0; i < n; ++i) {
    check_step(t[i]);
    check_value(t[i], at(t[i]));
  }
}

// Whether all are steps that have values.
bool schedule::evaluate(const int64_t* t, double* out, int64_t n) const {
  if (!all_are_steps(t, n)) return false;
  active_target().evaluate(view(), t, out, n);
  return all_are_finite(out, n);
}

}  // namespace gradstep
