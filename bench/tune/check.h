// The check of the bits that a variant leaves.
#pragma once

#include <array>
#include <map>

#include "variant.h"

namespace gradstep::GS_TARGET::tune {

enum class verdict { right, wrong, failed, lost };  // lost: the device gives nothing but errors from now on

struct outcome {
  verdict found;
  std::string words;
};

class checker {
 public:
  explicit checker(const plan& on) : on_(on), digest_(2 * sizeof(unsigned)) {}

  outcome check(const variant& one);

 private:
  using digests = std::vector<std::array<unsigned, 2>>;  // of each output

  // After one launch on a fresh plan, or none; throws what the launch or the device says.
  digests after(launcher act);
  const digests& known(launcher act);

  const plan& on_;
  const memory digest_;
  std::map<launcher, digests> known_;
};

}  // namespace gradstep::GS_TARGET::tune
