// From a group's settings and a tensor's time to the constants of its update on the host, made once for each
// distinct pair.
#pragma once

#include <deque>
#include <vector>

#include "plan/settings.h"
#include "plan/tensor.h"

namespace gradstep {

struct prepared_update {
  int group;
  step_context before, after;
  host_update update;
};

class host_updates {
 public:
  // One for each active tensor, whose task then points to it. `clip_factors` are those of the groups;
  // `norm_is_known` says that the gradients have been measured before.
  std::vector<const prepared_update*> make(tensor_list& tensors, const std::vector<group_settings>& groups,
                                           const step_settings& options,
                                           const std::vector<double>& clip_factors, bool norm_is_known);

 private:
  const prepared_update& make(const tensor& of, int group, const group_settings& settings,
                              const step_settings& options, double clip_factor, bool norm_is_known);

  std::deque<prepared_update> made_;
};

}  // namespace gradstep
