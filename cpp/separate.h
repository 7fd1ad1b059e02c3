// The operations around the rule as calls of their own, over arrays that no plan holds: the bodies and the
// walk are those of the step, so the bits are too.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>

namespace gradstep::separate {

// Lists of gradients hold None where there is no gradient. Every refusal is raised before the first write.

// Multiplies them by `by`; true if a number is infinite or NaN then.
bool unscale(const pybind11::list& gradients, double by, int threads);

double norm(const pybind11::list& gradients, int threads);

// Shrinks them as a norm of at most `limit` needs, if theirs is `total`, or as it is; returns that norm.
double clip_norm(const pybind11::list& gradients, double limit, std::optional<double> total, int threads);

void clip_value(const pybind11::list& gradients, double limit, int threads);

void zero(const pybind11::list& gradients, int threads);

// Moves each average towards its parameter. `product`, an array of one number or None, is that of the decays
// so far: it corrects the weights and is taken a step further.
void average(const pybind11::list& averages, const pybind11::list& parameters, double decay,
             const pybind11::object& product, int threads);

// Rounds each parameter to the dtype of its copy.
void cast(const pybind11::list& copies, const pybind11::list& parameters, int threads);

}  // namespace gradstep::separate
