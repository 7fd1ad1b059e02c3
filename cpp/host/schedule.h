// A schedule as the optimizers and the Python layer hold it: a checked program and the numbers that it reads.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "schedules/program.h"

namespace gradstep {

constexpr int64_t step_limit = int64_t(1) << 53;  // up to here a double counts every step

class schedule {
 public:
  using line = std::pair<std::string, std::vector<double>>;  // an operation's name, its numbers

  // Throws std::invalid_argument if the lines are not a program.
  explicit schedule(const std::vector<line>& lines);

  // The value at step t, or at each of n steps, on up to `threads` threads where these are many. Throws
  // std::invalid_argument for a step out of range or one at which the schedule has no value.
  double at(int64_t t) const;
  void at(const int64_t* t, double* out, int64_t n, int threads) const;

  const std::vector<instruction>& code() const { return code_; }
  const std::vector<double>& numbers() const { return numbers_; }
  bool operator==(const schedule&) const = default;
  program view() const { return {code_.data(), numbers_.data(), int32_t(code_.size())}; }

 private:
  bool evaluate(const int64_t* t, double* out, int64_t n) const;

  std::vector<instruction> code_;
  std::vector<double> numbers_;
};

}  // namespace gradstep
