// What the core knows of its rules, for the Python layer: each fact is stated in a rule's header alone.
#pragma once

#include <string>
#include <vector>

#include "host/simd/target.h"

namespace gradstep {

struct rule_facts {
  std::vector<std::string> states;  // the shape of each: parameter, row, column, matrix or tensor
  std::vector<std::string> hypers;  // the names of its numbers, in their order
  std::string scope;      // what an element's update depends on: its element, its tensor or all of them
  bool writes_parameter;  // itself, rather than returning a direction
  bool sees_matrix;       // the last two dimensions are rows and columns to it
  bool has_pass_before;   // that reads the gradient, and of the parameter and the states:
  bool reads_parameter_before;
  std::vector<int> states_read_before;
  // Bytes per element, of contiguous float32 arrays: the states that are like the parameter count.
  int update_bytes, bytes_before;
};

rule_facts facts_of(const rule_entry& rule);

}  // namespace gradstep
