// Every rule, by its name. A rule is complete with its header, its line here, its class in
// python/gradstep/rules and its float64 reference in tests/reference.py.
#pragma once

#include "adam.h"
#include "sgd.h"

#define GS_RULES(X) \
  X(sgd)            \
  X(sgd_momentum)   \
  X(sgd_nesterov)   \
  X(adam)           \
  X(amsgrad)
