// The equation of overlapping strides: multiples of given numbers, within bounds, that add up to another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gradstep {

// A sum of multiples: `step` times 0 to `most`.
struct multiple {
  int64_t step, most;
};

enum class answer { no, yes, unsure };

// Counts the steps of a search down.
class patience {
 public:
  explicit patience(int64_t steps) : left_(steps) {}
  bool spend(int64_t steps = 1) { return (left_ -= steps) >= 0; }

 private:
  int64_t left_;
};

// True if a sum of multiples can be a number from target - slack to target.
class equation {
 public:
  equation(std::vector<multiple> terms, int64_t slack, patience& patience);

  answer solve(int64_t target) { return solve(0, target); }

 private:
  void join_equal_steps();
  void join_with_slack();
  answer solve(size_t k, int64_t target);
  answer solve_two(const multiple& a, const multiple& b, int64_t target);

  std::vector<multiple> terms_;
  int64_t slack_;
  patience& patience_;
  std::vector<int64_t> reaches_;   // of the terms from each on, and the slack
  std::vector<int64_t> divisors_;  // common to their steps
};

}  // namespace gradstep
