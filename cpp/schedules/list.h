// Every operation of a schedule, by its name. A leaf is complete with its formula in the header of its
// family, its line here, its class in python/gradstep/schedules and its reference in
// tests/support/schedule_reference.py.
#pragma once

#include "schedules/clocks.h"
#include "schedules/cosine.h"
#include "schedules/decays.h"
#include "schedules/inverse.h"
#include "schedules/operators.h"
#include "schedules/points.h"
#include "schedules/random.h"
#include "schedules/warmup.h"

#define GS_OPERATIONS(X)        \
  X(leaf, constant)             \
  X(leaf, linear)               \
  X(leaf, polynomial_decay)     \
  X(leaf, exponential_decay)    \
  X(leaf, natural_exp_decay)    \
  X(leaf, inverse_time_decay)   \
  X(leaf, inverse_sqrt_decay)   \
  X(leaf, cosine_decay)         \
  X(leaf, step_decay)           \
  X(leaf, table)                \
  X(leaf, piecewise_linear)     \
  X(leaf, noam)                 \
  X(leaf, rex)                  \
  X(leaf, tanh_decay)           \
  X(leaf, sigmoid)              \
  X(leaf, linear_cosine)        \
  X(leaf, triangle)             \
  X(leaf, uniform)              \
  X(leaf, log_uniform)          \
  X(leaf, warmup_fraction)      \
  X(leaf, exponential_fraction) \
  X(clock, hold)                \
  X(clock, repeat)              \
  X(clock, mirror)              \
  X(clock, limit)               \
  X(clock, delay)               \
  X(clock, wait)                \
  X(clock, bend)                \
  X(clock, restart)             \
  X(clock, stairs)              \
  X(clock, lengthen)            \
  X(clock, stretch)             \
  X(unary, every)               \
  X(unary, step_shape)          \
  X(unary, log_shape)           \
  X(unary, cosine_shape)        \
  X(unary, sqrt_shape)          \
  X(unary, negative)            \
  X(unary, raised)              \
  X(unary, rescale)             \
  X(binary, plus)               \
  X(binary, minus)              \
  X(binary, times)              \
  X(binary, over)               \
  X(binary, larger)             \
  X(binary, smaller)            \
  X(binary, then)               \
  X(binary, interpolate_from)   \
  X(binary, blend)
