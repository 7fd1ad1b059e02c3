// The classes of all rules, without their list.
#pragma once

#define GS_RULE(rule)
#include "rules/list.h"
#undef GS_RULE
