// Rules that prove what no rule of the library asks for yet; only builds with GRADSTEP_EMULATED have them.
#pragma once

#include "rules_of_tests/axis_normalised.h"
#include "rules_of_tests/row_normalised.h"
#include "rules_of_tests/row_scaled.h"

#define GS_RULES_OF_TESTS(X) \
  X(row_normalised)          \
  X(axis_normalised)         \
  X(row_scaled)              \
  X(row_scaled_normalised)
