// The rules by their places in the list.
#pragma once

#include <cstdint>

#include "rules/list.h"

namespace gradstep::GS_TARGET {

enum class rule_number : int32_t {
#define GS_NUMBER(rule) rule,
  GS_RULES(GS_NUMBER)
#undef GS_NUMBER
};

}  // namespace gradstep::GS_TARGET
