#include "arrays/equation.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace gradstep {

namespace {

int64_t ceil_divide(int64_t a, int64_t b) { return a / b + (a % b > 0); }  // b > 0

// The number that times `a` leaves 1 when divided by `modulus`; the two have no common divisor.
int64_t inverse(int64_t a, int64_t modulus) {
  int64_t x = 1, next_x = 0, r = a, next_r = modulus;
  while (next_r) {
    const int64_t quotient = r / next_r;
    x = std::exchange(next_x, x - quotient * next_x);
    r = std::exchange(next_r, r - quotient * next_r);
  }
  return modulus == 1 ? 0 : (x % modulus + modulus) % modulus;
}

}  // namespace

equation::equation(std::vector<multiple> terms, int64_t slack, patience& patience)
    : terms_(std::move(terms)), slack_(slack), patience_(patience) {
  std::sort(terms_.begin(), terms_.end(),
            [](const multiple& a, const multiple& b) { return a.step > b.step; });
  join_equal_steps();
  join_with_slack();
  reaches_.assign(terms_.size() + 1, slack_);
  divisors_.assign(terms_.size() + 1, 0);
  for (size_t k = terms_.size(); k-- > 0;) {
    reaches_[k] = reaches_[k + 1] + terms_[k].step * terms_[k].most;
    divisors_[k] = std::gcd(divisors_[k + 1], terms_[k].step);
  }
}

void equation::join_equal_steps() {
  std::vector<multiple> joined;
  for (const multiple& each : terms_) {
    if (!joined.empty() && joined.back().step == each.step)
      joined.back().most += each.most;
    else
      joined.push_back(each);
  }
  terms_ = std::move(joined);
}

// Steps no longer than the slack leave no gap between its places.
void equation::join_with_slack() {
  while (!terms_.empty() && terms_.back().step <= slack_ + 1) {
    slack_ += terms_.back().step * terms_.back().most;
    terms_.pop_back();
  }
}

answer equation::solve(size_t k, int64_t target) {
  if (target < 0 || target > reaches_[k]) return answer::no;
  if (k == terms_.size()) return answer::yes;
  if (target % divisors_[k] > slack_) return answer::no;
  const multiple& term = terms_[k];
  const int64_t least = std::max(int64_t(0), ceil_divide(target - reaches_[k + 1], term.step));
  const int64_t most = std::min(term.most, target / term.step);
  if (k + 2 == terms_.size() && most - least > slack_ / divisors_[k])
    return solve_two(term, terms_[k + 1], target);
  for (int64_t times = most; times >= least; --times) {
    if (!patience_.spend()) return answer::unsure;
    if (const answer found = solve(k + 1, target - times * term.step); found != answer::no) return found;
  }
  return answer::no;
}

// By number theory, for each place within the slack that a multiple of both steps' divisor can reach.
answer equation::solve_two(const multiple& a, const multiple& b, int64_t target) {
  const int64_t divisor = std::gcd(a.step, b.step), modulus = b.step / divisor;
  const int64_t back = inverse(a.step / divisor % modulus, modulus);
  for (int64_t rest = target % divisor; rest <= std::min(slack_, target); rest += divisor) {
    if (!patience_.spend()) return answer::unsure;
    const int64_t sum = target - rest;
    const int64_t least = std::max(int64_t(0), ceil_divide(sum - b.step * b.most, a.step));
    const int64_t most = std::min(a.most, sum / a.step);
    const auto fits = int64_t(__int128(sum / divisor % modulus) * back % modulus);
    const int64_t first = least + ((fits - least) % modulus + modulus) % modulus;
    if (first <= most) return answer::yes;
  }
  return answer::no;
}

}  // namespace gradstep
