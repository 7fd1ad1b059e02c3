// Times on the device.
#pragma once

#include "variant.h"

namespace gradstep::GS_TARGET::tune {

struct timed {
  double us = 0, spread = 0;  // the median, and between the quartiles over the median
};

// Of those that are `chosen`, each launched once a round, in another order each time; as many rounds as fit
// in the seconds, at most `rounds`, which tells how many there were.
std::vector<timed> time_variants(const plan& on, const variants& all, const std::vector<bool>& chosen,
                                 double seconds, int& rounds);

}  // namespace gradstep::GS_TARGET::tune
