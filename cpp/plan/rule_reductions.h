// What must be known of gradients and tensors before the first write: gradient norms, and the sums that some
// rules ask for, over each tensor or over all of them.
#pragma once

#include <vector>

#include "host/chunks.h"
#include "plan/settings.h"
#include "plan/tensor.h"

namespace gradstep {

const rule_entry& rule_of(const group_settings& group);

// Whether the gradients' norm or what is not finite in them must be known.
bool needs_gradient_norm(const std::vector<group_settings>& groups, const step_settings& options);

bool has_rule_reductions(const std::vector<group_settings>& groups);
// Whether a rule sums over rows and columns before the first write.
bool has_matrix_reductions(const std::vector<group_settings>& groups);
// Whether one changes its directions before the descent.
bool has_whole_directions(const std::vector<group_settings>& groups);

// A group whose rule reduces over all groups as one, though it differs from the first in what the sums
// depend on; null for none.
const group_settings* find_unlike_group(const std::vector<group_settings>& groups);

// Forms the rules' sums, once the tasks have their constants: one pass over what the rules read.
void reduce_for_rules(tensor_list& tensors, const chunk_list& chunks);

}  // namespace gradstep
