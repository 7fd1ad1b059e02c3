// Every rule, by its name. A rule is complete with its header, its line here, its class in
// python/gradstep/rules and its float64 reference in tests/reference.py.
#pragma once

#include "adadelta.h"
#include "adagrad.h"
#include "adam.h"
#include "adam_atan2.h"
#include "adamax.h"
#include "adan.h"
#include "ademamix.h"
#include "adopt.h"
#include "asgd.h"
#include "interpolation.h"
#include "lamb.h"
#include "laprop.h"
#include "lars.h"
#include "lion.h"
#include "nadam.h"
#include "nadamw.h"
#include "prodigy.h"
#include "radam.h"
#include "rmsprop.h"
#include "rprop.h"
#include "schedule_free.h"
#include "sgd.h"
#include "signum.h"
#include "stable_adamw.h"

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
  X(interpolation)
