// A plan on a device: plain structs in its memory.
#pragma once

#include <cstdint>

#include "formats/list.h"
#include "schedules/program.h"
#include "step/constants.h"
#include "step/group_numbers.h"
#include "step/matrix_form.h"
#include "step/options.h"
#include "step/sums.h"
#include "step/tensor_clock.h"

namespace gradstep {

constexpr int layout_limit = 8;      // dimensions of an array that is not contiguous
constexpr int leaves_per_chunk = 8;  // a thread block's work: part of one tensor, a leaf for each warp
constexpr int64_t chunk_elements = leaves_per_chunk * leaf_elements;

// Numbers of each array that a thread moves at once: 16 bytes of the arithmetic type where all arrays are of
// it, and 16 bytes of 16-bit numbers where some are, with arithmetic in f32.
template <class T>
inline constexpr int pack_count = 16 / int(sizeof(T));
constexpr int stored_pack_count = 16 / int(sizeof(uint16_t));

// A block of an update takes about this many elements, or a whole chunk.
constexpr int64_t part_elements = 1024;
constexpr int32_t most_parts = int32_t(chunk_elements / part_elements);

// The kinds of access that an array allows.
struct array_access {
  bool contiguous;     // element i at data + i * bytes, of a type that goes with the arithmetic's: f64 beside
                       // f64 alone
  bool vectorizable;   // and as many elements as a pack has by one access
  bool native;         // and in the arithmetic type itself
  bool single = true;  // an element can be stored alone: not where a format has groups

  GS_HD array_access operator&(const array_access& other) const {
    return {bool(contiguous & other.contiguous), bool(vectorizable & other.vectorizable),
            bool(native & other.native), bool(single & other.single)};
  }
};

// How a step reaches a tensor's elements: by packs of the arithmetic type, by packs of numbers of up to 32
// bits, or one by one, which works for every array.
enum class reach : uint8_t { native, stored, single };
constexpr int reach_count = 3;

GS_HD reach reach_of(const array_access& access) {
  return !access.vectorizable ? reach::single : access.native ? reach::native : reach::stored;
}

// An array of a step on a device. Its elements are visited in the order of the parameter's memory.
struct device_array {
  char* data;    // null where there is none
  char* second;  // of a format with groups; the array is contiguous
  int64_t size;  // of the tensor
  dtype type;
  array_access access;
  int32_t layout;  // in the table of layouts; below 0: element i lies at data + i * bytes
};

// The layout of an array: sizes from the slowest dimension to the fastest, strides in bytes.
struct device_layout {
  int32_t ndim;
  int64_t sizes[layout_limit], strides[layout_limit];
};

// A tensor that has a gradient in this step.
struct device_tensor {
  device_array parameter, states[state_limit], average, copy;
  int64_t size;
  int32_t index;  // over all tensors of the plan: that of its clock
  int32_t group;
  int32_t first_chunk, chunk_count;
  int32_t state_count;
  arithmetic type;
  array_access access;  // all of its arrays, though a copy is of any type
  scalar_ref numbers[1 + kept_limit];
  int32_t number_count;
  scalar_ref average_product;

  GS_HD tensor_clock time() const { return {numbers, number_count, average_product}; }
};

struct device_chunk {
  int32_t tensor;  // its place among those with a gradient
  int64_t first;
};

// A tensor that its rule sees as a matrix (step/matrix_form.h). Pointers that its form does not need are
// null.
struct device_matrix {
  int32_t tensor;  // its place among those with a gradient
  matrix_form form;
  matrix_sizes sizes;
  device_array own[state_limit];  // the states that are not like the parameter, and after this update
  char* numbers[state_limit];     // theirs, in the arithmetic type; the tensor's states repeat these
  double* row_sums;
  double* column_sums;  // a run for each band
};

// A thread block's work: rows [first_row, last_row) of a tensor, counted over all of its matrices.
struct device_band {
  int32_t matrix;  // the tensor's place among those that are seen so
  int64_t number, first_row, last_row;
};

struct device_group {
  int32_t rule;  // its place in the list of rules
  group_numbers numbers;
  step_options options;  // but for the numbers that are above
  int32_t first_tensor, last_tensor;
  int32_t first_source, last_source;
};

// The source of a group's number: a scalar in device memory, or a program that is given the count of updates.
// The number found is multiplied by the factor.
struct device_source {
  int32_t number;     // its place among them
  scalar_ref scalar;  // no data: the program
  int32_t first_instruction, length;
  int32_t first_number;  // of the program's pool
  double factor;
};

// A tensor's clock and last report in device memory. They last from step to step; the tensor's states are
// arrays of the caller.
struct device_clock {
  int64_t t;
  bool fresh;
  sums reported;  // the sums of the last update, where stats are asked for
};

// One tensor's constants of this update.
struct device_row : update_constants {
  step_context after;  // the tensor's, once the update is made
};

// The report of a step, and the count of all.
struct device_report {
  int64_t updates;   // applied so far: the schedules' clock
  double last_norm;  // of the gradients of the last applied update; below 0 before the first
  sums all;          // of this step
  int32_t skipped;
};

// A plan on the device. All arrays are in its memory.
struct device_plan_view {
  const device_tensor* tensors;
  const device_array* gradients;  // of each of these tensors
  const device_layout* layouts;
  const device_chunk* chunks;
  const device_matrix* matrices;
  const device_band* bands;
  const device_array* directions;  // of each of these tensors, where they are needed whole
  const device_group* groups;
  const device_source* sources;
  const instruction* instructions;
  const double* numbers;  // of the schedules' programs
  int32_t tensor_count, chunk_count, group_count;

  device_clock* clocks;  // of all tensors
  device_row* rows;      // of each of these tensors
  sums* nodes;           // of each chunk
  sums* totals;   // of each of these tensors, then of each group, then of all: tensor_count + group_count + 1
  sums* scratch;  // as many as there are tensors
  unsigned* arrived;     // thread blocks at the end of a kernel: arrival_counters of them, 0 between kernels
  int32_t summed_count;  // of these tensors, those that have elements
  device_report* report;
};

// The places among the counters of thread blocks: those of `prepare`, those of summed tensors, then one per
// tensor for its chunks.
enum arrivals : int { of_prepare, of_tensors, of_chunks };
constexpr int arrival_counters(int tensors) { return of_chunks + tensors; }

// The host's orders for one step. Addresses are of device memory.
struct device_step {
  double unscale;         // multiplies every gradient, or
  scalar_ref grad_scale;  // divides them; no data for none
  scalar_ref found_inf;   // is not 0 where the step is to be skipped; no data for none
  bool skip, skip_nonfinite;
  bool stats;       // sums what the step does
  bool knows_norm;  // the gradients' norm has been formed
  bool lagged;      // clip by the last update's norm
  bool ahead;       // of one tensor, ahead of the step that counts as the update of all
};

}  // namespace gradstep
