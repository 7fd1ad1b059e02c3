// Memory that arrays share, refused where a step would write it twice, or read what it has written.
#pragma once

#include <deque>
#include <vector>

#include "slot.h"

namespace gradstep {

// Raises for parameters that share an element with one another or with themselves.
void refuse_shared(const std::deque<slot>& slots, const std::vector<int>& active);

// Raises for gradients among `zeroed` that can't be filled with zeros: read-only ones, and those that share
// an element with themselves, with one another or with a parameter.
void refuse_shared_zeroed(std::deque<slot>& slots, const std::vector<int>& active,
                          const std::vector<int>& zeroed);

// Raises for arrays that share an element with one another or with themselves, named by their roles.
void refuse_overlap(const std::vector<array_view>& views, const std::vector<array_role>& roles);

// Raises for arrays that can't be a plan's parameters, as a step would.
void check_parameters(const pybind11::list& parameters);

}  // namespace gradstep
