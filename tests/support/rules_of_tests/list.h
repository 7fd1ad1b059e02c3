// Rules that prove what no rule of the library asks for yet; only builds with GRADSTEP_EMULATED have them.
#include "rules_of_tests/axis_normalised.h"
#include "rules_of_tests/row_normalised.h"
#include "rules_of_tests/row_scaled.h"
