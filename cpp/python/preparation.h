// From a group's settings and a tensor's time to the constants of its update, made once for each distinct
// pair.
#pragma once

#include <deque>

#include "plan/settings.h"
#include "python/slot.h"

namespace gradstep {

struct prepared {
  int group;
  clock before, after;
  constants step;
};

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
