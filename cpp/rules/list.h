// Every rule, by its name. A rule is complete with its header, its line here, its class in
// python/gradstep/rules and its float64 reference in tests/support/reference.py.
#pragma once

#include "rules/adadelta.h"
#include "rules/adagrad.h"
#include "rules/adam.h"
#include "rules/adam_atan2.h"
#include "rules/adamax.h"
#include "rules/adan.h"
#include "rules/ademamix.h"
#include "rules/adopt.h"
#include "rules/asgd.h"
#include "rules/interpolation.h"
#include "rules/lamb.h"
#include "rules/laprop.h"
#include "rules/lars.h"
#include "rules/lion.h"
#include "rules/nadam.h"
#include "rules/nadamw.h"
#include "rules/prodigy.h"
#include "rules/radam.h"
#include "rules/rmsprop.h"
#include "rules/rprop.h"
#include "rules/schedule_free.h"
#include "rules/sgd.h"
#include "rules/signum.h"
#include "rules/sparse_adam.h"
#include "rules/stable_adamw.h"

// Rules that the tests alone have (tests/support/rules_of_tests), behind those of the library.
#if defined(GRADSTEP_TEST_RULES)
#include GRADSTEP_TEST_RULES
#else
#define GS_RULES_OF_TESTS(X)
#endif

#define GS_RULES(X)            \
  X(sgd)                       \
  X(sgd_momentum)              \
  X(sgd_nesterov)              \
  X(adagrad)                   \
  X(adadelta)                  \
  X(rmsprop)                   \
  X(rmsprop_momentum)          \
  X(rmsprop_centered)          \
  X(rmsprop_centered_momentum) \
  X(adam)                      \
  X(amsgrad)                   \
  X(sparse_adam)               \
  X(adamax)                    \
  X(nadam)                     \
  X(radam)                     \
  X(rprop)                     \
  X(asgd)                      \
  X(lion)                      \
  X(signum)                    \
  X(nadamw)                    \
  X(adam_atan2)                \
  X(ademamix)                  \
  X(adopt)                     \
  X(adan)                      \
  X(adan_no_prox)              \
  X(laprop)                    \
  X(schedule_free_sgd)         \
  X(schedule_free_adamw)       \
  X(lamb)                      \
  X(lars)                      \
  X(lars_momentum)             \
  X(lars_nesterov)             \
  X(stable_adamw)              \
  X(prodigy)                   \
  X(interpolation)             \
  GS_RULES_OF_TESTS(X)
