// Formats that prove what no format of the library asks for yet; only builds with GRADSTEP_EMULATED have
// them.
#pragma once

#include "formats_of_tests/scaled.h"

#define GS_FORMATS_OF_TESTS(X) X(scaled)
