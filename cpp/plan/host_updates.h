// The constants of updates on the host, made from a group's settings and a tensor's time, once for each
// distinct pair.
#pragma once

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
  // Allocates for this number of active tensors, so that `make` allocates nothing.
  void reserve(size_t tensors);

  // Makes one update for each active tensor, and points the tensor's task to it. `clip_factors` are those of
  // the groups; `norm_is_known` says that the gradients' norm has been formed already.
  void make(tensor_list& tensors, const std::vector<group_settings>& groups, const step_settings& options,
            const std::vector<double>& clip_factors, bool norm_is_known);

  // The update of each active tensor, in their order.
  const std::vector<const prepared_update*>& of_tensors() const { return of_tensors_; }

 private:
  const prepared_update& find_or_make(const tensor& of, int group, const group_settings& settings,
                                      const step_settings& options, double clip_factor, bool norm_is_known);

  std::vector<prepared_update> made_;  // tasks point to them: never more than are reserved
  std::vector<const prepared_update*> of_tensors_;
};

}  // namespace gradstep
