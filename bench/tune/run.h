// Checks and times variants, case by case, each case in a process of its own: what a variant does to the
// device ends that process alone, and the others are run again without it.
#pragma once

#include "variant.h"

namespace gradstep::GS_TARGET::tune {

struct options {
  bool times = true;
  int rounds = 20;
  double seconds = 50;        // for all cases
  double check_seconds = 10;  // for one variant's check, else it hangs
};

// Returns the number of cases that have a variant which is wrong, fails or is left out.
int run(const std::vector<model>& cases, variants (*variants_for)(const plan&), const options& asked);

}  // namespace gradstep::GS_TARGET::tune
