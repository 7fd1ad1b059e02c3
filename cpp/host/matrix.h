// The memory of a step for a tensor that its rule sees as a matrix: the numbers of states that are not like
// the parameter, the sums that they are made of, and the tensor's directions.
//
// Such a state is used twice in a step. Its own array is read when the numbers are renewed, and written with
// the update. In between, the new numbers are kept here, and the task's operand repeats them over the matrix.
#pragma once

#include <vector>

#include "arrays/layout.h"
#include "host/simd/target.h"

namespace gradstep {

struct tensor_task;

struct matrix_task {
  matrix_form form;
  matrix_sizes sizes = {};
  operand own[state_limit];                   // of a state that is not like the parameter
  std::vector<double> numbers[state_limit];   // of the same after this update, in the arithmetic type
  std::vector<double> row_sums, column_sums;  // of columns: one run for each band
  std::vector<double> state_sums;             // those of one state at a time, added up from these
  std::vector<double> directions;             // in the arithmetic type

  bool is_own(int state) const { return form.reduces && form.shapes[state] != state_shape::like_parameter; }

  // The numbers of this state, at address `data`, as an operand of the matrix's elements.
  operand repeated(int state, char* data, arithmetic type) const;
};

// Allocates the memory of one update, before anything is written.
void reserve_matrix(tensor_task& task);

// Forms the sums of one band, given by its elements.
void reduce_band(const target& on, const tensor_task& task, int64_t first, int64_t count);
// Turns these sums into the numbers after this update; `write_numbers` writes them into the states.
void renew_numbers(const target& on, const tensor_task& task);
void write_numbers(const target& on, const tensor_task& task);

// Changes the directions of a run of whole rows.
void transform_band(const tensor_task& task, int64_t first, int64_t count);

}  // namespace gradstep
