// The task of one tensor in a step: the arrays to visit and the constants, and the update of a run of its
// elements.
#pragma once

#include "arrays/layout.h"
#include "host/matrix.h"
#include "host/reductions.h"
#include "host/simd/target.h"

namespace gradstep {

// An update of all tensors of one group at one time: its constants, and its options on the host.
struct host_update : update_constants {
  const rule_body* body;
  arithmetic type;
  measurement measures;
  bool zero_grad;
  bool sum_gradient;  // in this pass, if not before it
  bool sum_change;
};

// The updates that rows have missed because sparse gradients left them out.
struct row_history {
  std::vector<host_update> steps;  // since all rows were up to date
  std::vector<int> applied;        // to each row, of these

  bool is_behind(int64_t row) const { return applied[size_t(row)] < int(steps.size()); }
};

update update_of(const host_update& step);

inline int64_t bytes_of(arithmetic type) { return type == arithmetic::f64 ? 8 : 4; }

struct tensor_task {
  operand parameter, gradient;
  operand states[state_limit];
  int state_count = 0;
  operand average, copy;  // of the parameter
  bool has_average = false, has_copy = false;
  const row_history* history = nullptr;  // where rows may lag
  matrix_task* matrix = nullptr;         // where its rule sees one
  sums* leaves = nullptr;                // where its sums go
  const host_update* step = nullptr;
  arithmetic type = arithmetic::f32;
  int64_t size = 0;  // elements that are visited

  // The rule's directions from the first element on, if they are needed whole.
  char* direction(int64_t first) const {
    return reinterpret_cast<char*>(matrix->directions.data()) + first * bytes_of(type);
  }

  // The bytes per element that a step moves: the gradient is read, a copy is written, the other arrays are
  // read and written.
  int64_t element_bytes() const;
};

// Updates `count` elements from the `first` on, in visiting order. Where all that is touched lies straight in
// its own arithmetic type, or in formats that registers decode, this is one loop over the user's memory;
// where not, and for the few elements that such a loop leaves at an array's end, it runs over blocks that
// stay in L1 and are decoded, encoded and put back, so that every byte still crosses DRAM once.
void update_run(const target& on, const tensor_task& task, int64_t first, int64_t count);

// The descent along directions that are needed whole. The update has written them with the states, and has
// used the gradient; they have been changed since.
void descend_run(const target& on, const tensor_task& task, int64_t first, int64_t count);

// Forms the sums that the rule measures. It writes no array.
void measure_rule_run(const target& on, const tensor_task& task, int64_t first, int64_t count);

// Applies the updates that the visited rows have missed, and nothing else.
void replay_run(const target& on, const tensor_task& task, int64_t first, int64_t count);

// Forms the sums of the gradient times `unscale`.
void sum_gradient_run(const target& on, const tensor_task& task, double unscale, int64_t first,
                      int64_t count);

// Fills the gradient with zeros.
void zero_run(const tensor_task& task, int64_t first, int64_t count);

}  // namespace gradstep
