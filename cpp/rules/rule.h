// What every rule shares. A rule is a struct of this step's constants whose body is a template on the
// arithmetic type: a vector on the CPU, one number in a CUDA thread. It sees one gradient and its states and
// returns its direction u; the engine flips the gradient (maximize) and adds coupled decay before it, and
// does p = fma(-rate, u, decay_factor * p) after it. A rule that needs p beside says `reads_parameter` and
// takes it first; one that writes p itself says `writes_parameter` and takes it first, already multiplied by
// decay_factor. Letters: p parameter, g gradient, m and v first and second moment.
//
// A rule that must know sums over the tensor before it writes is measured: `measured` says what it reads of p
// and the states, `measures_all` that the sums are over all tensors, `measures_before_decay` that it wants
// the gradient without coupled decay. Its body `measure` takes p, g and the states, those that it does not
// read as 0, and returns the products to be summed. `at` is then asked twice: for the constants of `measure`
// with sums of 0, and with the sums.
#pragma once

#include "numeric/math.h"
#include "numeric/transcendental.h"
#include "step/context.h"

namespace gradstep::GS_TARGET {

// The ratio of two norms, or of what stands for them, in bounds that keep the rate that it multiplies within
// float.
GS_HD double bounded_ratio(double above, double below) {
  const double ratio = above / below;
  if (above != above || below != below) return ratio;   // NaN stays visible
  return ratio == ratio ? minimum(ratio, 0x1p100) : 1;  // both are beyond double
}

// What one element adds to the two sums of a measured rule: first * by_first, and second * by_second.
template <class V>
struct products {
  V first, by_first, second, by_second;
};

}  // namespace gradstep::GS_TARGET
