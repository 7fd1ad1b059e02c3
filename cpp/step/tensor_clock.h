// A tensor's clock, as its state records it.
#pragma once

#include "step/context.h"
#include "step/scalar_ref.h"

namespace gradstep {

struct tensor_clock {
  const scalar_ref* numbers;  // t, then what the rule keeps
  int count;
  scalar_ref average_product;  // of the decays so far; no data where the average is not corrected

  // The context of the next update, from our own t: a float32 number is exact only to 2^24.
  GS_HD step_context next(int64_t t, bool fresh) const {
    step_context c = {};
    c.t = t;
    if (count > 0 && numbers[0].get() != (numbers[0].type == dtype::f32 ? double(float(t)) : double(t)))
      c.t = int64_t(numbers[0].get());
    ++c.t;
    c.fresh = fresh;
    if (average_product.data) c.average_product = average_product.get();
    for (int k = 1; k < count; ++k) c.kept[k - 1] = numbers[k].get();
    return c;
  }

  // Writes the numbers after the update.
  GS_HD void set(const step_context& c) const {
    if (count > 0) numbers[0].set(double(c.t));
    for (int k = 1; k < count; ++k) numbers[k].set(c.kept[k - 1]);
    if (average_product.data) average_product.set(c.average_product);
  }
};

}  // namespace gradstep
