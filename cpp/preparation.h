// From a group's settings and a tensor's time to the constants of its update, made once for each distinct
// pair.
#pragma once

#include <deque>

#include "settings.h"
#include "slot.h"

namespace gradstep {

struct prepared {
  int group;
  clock before, after;
  constants step;
};

// The weight of a new parameter in its average, corrected: the average starts as the first parameter, and is
// what one that starts at zero would be after its division by 1 - product. Takes the product of all decays
// a step further.
double corrected_average_weight(double decay, double& product);

class preparation {
 public:
  void restart() { made_.clear(); }

  // `shrink` multiplies the group's gradients; `measured` says that they have been measured before.
  const prepared& prepare(const slot& tensor, int group, const group_settings& settings,
                          const step_settings& step, double shrink, bool measured);

 private:
  std::deque<prepared> made_;
};

}  // namespace gradstep
