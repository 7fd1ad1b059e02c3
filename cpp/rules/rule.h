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
//
// A rule may see its tensor as matrices (step/matrix_form.h). `shapes` says of each state whether it has a
// number per row, column, matrix or tensor; an update and `measure` take those as they are after it, as V.
// Before it, `reduced` gives what an element of the gradient adds to the sums over its row, its column and
// the tensor, as two factors, and `renew(state, before, sum, count)` turns a number of such a state and the
// sum over so many elements into the new one, in double. A rule that says `transforms_direction` has its
// whole direction written down and changed before the descent: `direction_term` is what an element brings to
// its row, `join` makes one of two (0 changes nothing), and `change` is given an element and what its row has
// come to.
#pragma once

#include "numeric/math.h"
#include "numeric/transcendental.h"
#include "step/context.h"
#include "step/matrix_form.h"

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

// What an element adds to the sums over its row, its column and the tensor: first * second.
template <class V>
struct factors {
  V first, second;
};

}  // namespace gradstep::GS_TARGET
