// What measured rules must know before the first write: their sums over each tensor, or over all of them.
#pragma once

#include <deque>
#include <vector>

#include "host/chunks.h"
#include "plan/settings.h"
#include "python/slot.h"

namespace gradstep {

// Whether all gradients must be measured before the first write.
bool must_measure_gradients(const std::vector<group_settings>& groups, const step_settings& options);

bool rule_measures(const std::vector<group_settings>& groups);

// Raises where groups differ that a rule measures as one.
void refuse_unlike_groups(const std::vector<group_settings>& groups);

// Forms the sums, once the tasks have their constants: one pass over what the rules read.
void measure_rules(std::deque<slot>& slots, const std::vector<int>& active, const chunk_list& chunks);

}  // namespace gradstep
