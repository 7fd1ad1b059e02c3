// Memory that the arrays of a step or a call share, refused where it would be written twice, or read after it
// has been written.
#pragma once

#include <deque>
#include <vector>

#include "arrays/overlap.h"
#include "python/slot.h"

namespace gradstep {

// The arrays of a step. A gradient that is only read may repeat its elements, share them with other such
// gradients, and be its own parameter, element for element. Whatever is written (parameters, states,
// averages, copies, gradients that are filled with zeros) shares with nothing else. The numbers of states may
// share with one another, as Prodigy's do.
class step_sharing {
 public:
  // Raises for arrays of the active tensors that may not share what they share, and for read-only gradients
  // that are to be filled with zeros. Slots say whether their arrays have moved since; what has not is not
  // looked at again.
  void refuse(std::deque<slot>& slots, const active_tensors& active,
              const std::vector<group_settings>& groups);

  // Raises for arrays of these tensors that may not share what they share, their gradients aside.
  void refuse_written(std::deque<slot>& slots, const std::vector<int>& indices);

 private:
  bool must_look(const std::deque<slot>& slots, const std::vector<int>& active, bool zeroes) const;

  std::vector<bool> zeroed_;  // the groups whose gradients were written
  extent_set written_;        // of the tensors that are known to be apart, but for gradients
};

// Raises for arrays of which one is written and that share an element, or for a written one that repeats its
// own, named by their roles.
void refuse_overlap(const std::vector<array_view>& views, const std::vector<array_role>& roles,
                    const std::vector<bool>& written);

// Raises for arrays that can't be a plan's parameters, as a step would.
void check_parameters(const pybind11::list& parameters);

}  // namespace gradstep
