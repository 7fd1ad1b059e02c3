// One way to do a step's work, and what it is expected to take.
#pragma once

#include <string>
#include <vector>

#include "plan.h"

namespace gradstep::GS_TARGET::tune {

struct range {
  double low, high;
};
constexpr range operator+(range a, range b) { return {a.low + b.low, a.high + b.high}; }

struct prediction {
  range h100, h200;  // in us
};

// Null, or why the launch failed.
using launcher = const char* (*)(const plan& on, cudaStream_t stream);

struct variant {
  std::string name;
  double bytes;  // that `run` reads and writes
  prediction expected;
  launcher run;
  launcher like = nullptr;    // leaves the same bits; null: `run` changes none
  launcher before = nullptr;  // comes first, and is not timed
  double times = 1;           // a smaller copy than the update's stands for one of as many bytes
};

using variants = std::vector<variant>;

// Each file's.
void add_yardsticks(variants& to, const plan& on);
void add_updates(variants& to, const plan& on);
void add_measures(variants& to, const plan& on);
void add_steps(variants& to, const plan& on);

// All that suit the plan's arrays.
variants variants_of(const plan& on);

// The kernels as they are, which others must agree with bit by bit.
const char* prepare_as_it_is(const plan& on, cudaStream_t stream);
const char* update_as_it_is(const plan& on, cudaStream_t stream);

}  // namespace gradstep::GS_TARGET::tune
