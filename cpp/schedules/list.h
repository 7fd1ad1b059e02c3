// Every operation of a schedule, by its name. A leaf is complete with its header, its line here, its class
// in python/gradstep/schedules and its reference in tests/schedules/schedule_reference.py.
#pragma once

#include "clocks.h"
#include "constant.h"
#include "cosine_decay.h"
#include "exponential_decay.h"
#include "inverse_sqrt_decay.h"
#include "inverse_time_decay.h"
#include "linear.h"
#include "multi_step.h"
#include "natural_exp_decay.h"
#include "operators.h"
#include "piecewise.h"
#include "polynomial_decay.h"
#include "ramp.h"
#include "step_decay.h"

#define GS_LEAVES(X)    \
  X(constant)           \
  X(linear)             \
  X(polynomial_decay)   \
  X(exponential_decay)  \
  X(natural_exp_decay)  \
  X(inverse_time_decay) \
  X(inverse_sqrt_decay) \
  X(cosine_decay)       \
  X(step_decay)         \
  X(multi_step)         \
  X(piecewise)

#define GS_CLOCKS(X) \
  X(hold)            \
  X(repeat)          \
  X(mirror)          \
  X(limit)           \
  X(delay)           \
  X(wait)

#define GS_UNARIES(X) X(ramp)

#define GS_BINARIES(X) \
  X(plus)              \
  X(minus)             \
  X(times)             \
  X(larger)            \
  X(smaller)           \
  X(then)
