// The rules by their places in the list.
#pragma once

#include <cstdint>

#include "rules/all.h"

namespace gradstep::GS_TARGET {

enum class rule_number : int32_t {
#define GS_RULE(rule) rule,
#include "rules/list.h"
#undef GS_RULE
};

}  // namespace gradstep::GS_TARGET
