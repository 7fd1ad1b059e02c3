// The printed tables.
#pragma once

#include "check.h"
#include "timing.h"

namespace gradstep::GS_TARGET::tune {

void print_device();
void print_times(const variants& all, const std::vector<outcome>& outcomes, const std::vector<timed>& times);
void print_checks(const variants& all, const std::vector<outcome>& outcomes);

}  // namespace gradstep::GS_TARGET::tune
