// What measured rules must know before the first write: their sums over each tensor, or over all of them.
#pragma once

#include <deque>
#include <vector>

#include "chunks.h"
#include "settings.h"
#include "slot.h"

namespace gradstep {

bool rule_measures(const std::vector<group_settings>& groups);

// Raises where groups differ that a rule measures as one.
void refuse_unlike_groups(const std::vector<group_settings>& groups);

// Forms the sums, once the tasks have their constants: one pass over what the rules read.
void measure_rules(std::deque<slot>& slots, const std::vector<int>& active, const chunk_list& chunks);

}  // namespace gradstep
