// The kernels of every rule.
#include "../rules/list.h"
#include "rules.cuh"

namespace gradstep::GS_TARGET {

#define GS_LAUNCHES(rule) launches_of<rule>(),
const rule_launches launches_of_rules[] = {GS_RULES(GS_LAUNCHES)};

}  // namespace gradstep::GS_TARGET
