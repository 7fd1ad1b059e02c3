// The interface of one CPU target: plain data and function pointers. Nothing else crosses from code compiled
// for a target into code compiled for every machine.
#pragma once

#include <cstdint>

#include "formats/list.h"
#include "schedules/program.h"
#include "step/constants.h"
#include "step/context.h"
#include "step/matrix_form.h"
#include "step/sums.h"

namespace gradstep {

// A run of n elements. The arrays hold the arithmetic type and may be the user's memory or a block in L1.
struct operands {
  void* p;
  const void* g;
  void* s[state_limit];
  void* average;  // of p; null where there is none
  void* zeroed;   // g, where it is to be filled with zeros; else null
  int64_t n;
};

// An array as it is stored, from its first element on, in a format that registers decode.
struct stored_array {
  char* numbers = nullptr;
  dtype type = dtype::f32;
};

// A run of n elements, a multiple of the target's stored_unit.
struct stored_operands {
  stored_array p, g, s[state_limit];
  stored_array average, copy;  // of p; null where there is none
  bool zeroes;                 // g is to be filled with zeros
  int64_t n;
};

struct update {
  double rate;                         // p = fma(-rate, u, decay_factor * p)
  double decay_factor;                 // where u and p have the same sign,
  double decay_factor_if_opposed;      // and where they have not
  const void* rule;                    // its constants
  const gradient_transform* gradient;  // null where it does nothing
  double average_weight;               // of the new p
};

using rule_lanes = double[2][sum_lanes];

// The functions of a rule that sees its tensor as a matrix (rules/rule.h); null for those that it does not
// need.
struct matrix_body {
  // Adds a part of a row, whose element 0 belongs to lane 0, to the lanes of the row's sum, and to the sums
  // of the part's columns unless they are null.
  void (*reduce)(const update& step, const operands& x, double* lanes, double* columns);
  // The n numbers of a state after an update, from those before it and their sums over `count` elements.
  void (*renew)(const void* rule, int state, const void* before, const double* sums, double count,
                void* after, int64_t n);
  // Writes directions and states; `apply` is then the descent, and takes the directions as the gradient.
  void (*direct)(const update& step, const operands& x, void* directions);
  void (*transform_row)(const void* rule, void* directions, int64_t columns);
};

// A rule in one arithmetic type.
struct rule_body {
  int bytes;  // of its constants
  void (*make_rule_constants)(const double* hyper, step_context& now, void* constants);
  void (*apply)(const update& step, const operands& x);
  void (*apply_stored)(const update& step, const stored_operands& x);  // null where registers decode nothing
  // Null for a rule that measures nothing.
  void (*measure)(const update& step, const operands& x, rule_lanes& lanes);
  matrix_body matrix;
};

struct rule_entry {
  const char* name;
  int states;
  int hypers;
  bool writes_parameter;
  measurement measures;
  const matrix_form* form;  // null for a rule to which a tensor is no matrix
  const char* const* hyper_names;
  rule_body bodies[2];  // by arithmetic
};

struct storage_entry {
  void (*decode[2])(const planes& from, void* to, int64_t n);  // by arithmetic
  void (*encode[2])(const void* from, const planes& to, int64_t n);
  bool in_registers;  // an array may be an operand as it is stored
};

// Sums (sums.h), in one arithmetic type.
struct sum_bodies {
  void (*add)(void* sum, const void* x, int64_t n);
  void (*add_squares)(const void* x, int64_t n, double scale, double* squares, double* nonfinite);
  void (*add_change)(const void* x, const void* y, int64_t n, double* changes, double* squares);
};

// Standalone operations (standalone.h), in one arithmetic type.
struct transform_bodies {
  void (*transform_gradients)(void* gradient, int64_t n, const gradient_transform& stage);
  void (*average)(void* averages, const void* parameter, int64_t n, double weight);
};

// A function of transcendental.h or angles.h over arrays; y is read by functions of two numbers.
struct function_entry {
  const char* name;
  void (*map)(const double* x, const double* y, double* out, int64_t n);
};

struct target {
  const char* name;
  const rule_entry* rules;
  int rule_count;
  storage_entry storages[dtype_count];
  sum_bodies sums[2];
  transform_bodies transforms[2];
  const operation_entry* operations;
  int operation_count;
  void (*evaluate)(const program& code, const int64_t* t, double* out, int64_t n);
  const function_entry* functions;
  int function_count;
  uintptr_t* prefetch_distance;  // in bytes
  int stored_unit;               // elements
};

}  // namespace gradstep
