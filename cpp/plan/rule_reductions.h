// Reductions before the first write: whether a step needs the gradients' norm, and the sums that some rules
// measure, over each tensor or over all of them.
#pragma once

#include <vector>

#include "host/chunks.h"
#include "plan/settings.h"
#include "plan/tensor.h"

namespace gradstep {

const rule_entry& rule_of(const group_settings& group);

// True if the norm of the gradients, or their count of infinities and NaN, must be known.
bool needs_gradient_norm(const std::vector<group_settings>& groups, const step_settings& options);

bool has_rule_reductions(const std::vector<group_settings>& groups);
// Whether a rule sums over rows and columns before the first write.
bool has_matrix_reductions(const std::vector<group_settings>& groups);
// Whether a rule changes its whole direction before the descent.
bool has_whole_directions(const std::vector<group_settings>& groups);

// A group that differs from the first in numbers that the sums depend on, though its rule sums over all
// groups; null for none.
const group_settings* find_unlike_group(const std::vector<group_settings>& groups);

// Forms the rules' sums in one pass over the arrays that the rules read. The tasks must have their constants.
void reduce_for_rules(tensor_list& tensors, const chunk_list& chunks);

}  // namespace gradstep
