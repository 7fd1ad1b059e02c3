// values[t]; the last one holds.
#pragma once

#include "numeric/math.h"

namespace gradstep::GS_TARGET::schedules {

struct table {
  const double* values;
  int last;
  static constexpr int least_numbers = 1;
  GS_HD static table read(const double* numbers, int count) { return {numbers, count - 1}; }
  GS_HD double operator()(double t) const {
    const double inside = select(t < last, t, double(last));  // for a NaN, too
    return select(t != t, t, values[int(inside)]);
  }
};

}  // namespace gradstep::GS_TARGET::schedules
