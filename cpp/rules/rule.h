// The interface of a rule, and helpers that rules share. A rule is a struct of this step's constants whose
// body is a template on the arithmetic type: a vector on the CPU, one number in a CUDA thread. It sees one
// gradient and its states and returns its direction u. The engine flips the gradient (maximize) and adds
// coupled decay before it, and does p = fma(-rate, u, decay_factor * p) after it. A rule that also needs p
// says `reads_parameter` and takes it first. One that writes p itself says `writes_parameter` and takes it
// first, already multiplied by decay_factor. Letters: p parameter, g gradient, m and v first and second
// moment.
//
// A rule that must know sums over the tensor before it writes measures it. `measured` lists which of p and
// the states it reads, `measures_all` says that the sums are over all tensors, and `measures_before_decay`
// that it wants the gradient without coupled decay. Its body `measure` takes p, g and the states, with 0 for
// those that it does not read, and returns the products to be summed. `at` is then called twice: with sums of
// 0 for the constants of `measure`, and with the sums.
//
// A rule may see its tensor as matrices (step/matrix_form.h). `shapes` says for each state whether it has a
// number per row, column, matrix or tensor; an update and `measure` take the numbers as they are after it, as
// V. Before it, `reduced` gives the term of one gradient element in the sums over its row, its column and the
// tensor, as two factors, and `renew(state, before, sum, count)` turns a number of such a state and the sum
// over `count` elements into the new one, in double. A rule that says `transforms_direction` has its whole
// direction written to memory and changed before the descent: `direction_term` is the term of one element in
// its row, `join` combines two (0 changes nothing), and `change` takes an element and the joined terms of its
// row.
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

// The terms of one element in the two sums of a rule that measures: first * by_first, and second * by_second.
template <class V>
struct products {
  V first, by_first, second, by_second;
};

// The term of one element in the sums over its row, its column and the tensor: first * second.
template <class V>
struct factors {
  V first, second;
};

}  // namespace gradstep::GS_TARGET
