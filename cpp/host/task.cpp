#include "host/task.h"

#include <algorithm>
#include <cstring>

#include "host/block.h"

namespace gradstep {

namespace {

// The elements must be visited in their order, by blocks: sums are formed or rows make up for what they
// missed.
bool has_order(const tensor_task& task) {
  return task.step->sum_gradient || task.step->sum_change || task.history;
}

// True if `suits` holds for all arrays of the step, and no buffer is needed.
template <class Suits>
bool runs_through(const tensor_task& task, const Suits& suits) {
  if (has_order(task)) return false;
  for (int k = 0; k < task.state_count; ++k)
    if (!suits(task.states[k])) return false;
  return suits(task.parameter) && suits(task.gradient) && (!task.has_average || suits(task.average)) &&
         (!task.has_copy || suits(task.copy));
}

// True if all arrays are contiguous and in the arithmetic type.
bool updates_in_place(const tensor_task& task) {
  return !task.has_copy && runs_through(task, [&](const operand& x) { return in_place(x, task.step->type); });
}

// True if all arrays are contiguous and in formats that registers decode.
bool lies_in_formats_of_registers(const target& on, const tensor_task& task) {
  return task.step->body->apply_stored && runs_through(task, [&](const operand& x) {
           return x.direct && on.storages[int(x.type)].in_registers;
         });
}

// The blocks of one tensor, which pass one after another through the rule and the transforms before and after
// it.
class block_walk {
 public:
  // Up to `end`, by tiles; by none where that is 0.
  block_walk(const target& on, const tensor_task& task, int64_t end = 0)
      : task_(task),
        step_(*task.step),
        sums_(on.sums[int(step_.type)]),
        bytes_(bytes_of(step_.type)),
        parameter_(on, task.parameter, step_.type, end),
        gradient_(on, task.gradient, step_.type, end),
        average_(on, task.average, step_.type, end),
        copy_(on, task.copy, step_.type, end),
        states_{{on, task.states[0], step_.type, end},
                {on, task.states[1], step_.type, end},
                {on, task.states[2], step_.type, end},
                {on, task.states[3], step_.type, end}} {}

  void measure_rule(int64_t first, int64_t count, rule_lanes& sums) {
    gradient_transform stage = step_.gradient;
    if (step_.measures.before_decay) stage.decay = 0;
    gradstep::update asked = update_of(step_);
    if (asked.gradient) asked.gradient = &stage;
    operands x = {};
    x.n = count;
    x.g = gradient_.read(first, count);
    if (step_.measures.reads & measured_parameter || stage.decay != 0) x.p = parameter_.read(first, count);
    for (int k = 0; k < task_.state_count; ++k)
      if (step_.measures.reads & measured_state(k)) x.s[k] = states_[k].read(first, count);
    step_.body->measure(asked, x, sums);
  }

  void update(int64_t first, int64_t count, gradient_lanes& before, change_lanes& after) {
    operands x = read(first, count);
    if (step_.sum_change) std::memcpy(before_.bytes, x.p, size_t(count * bytes_));
    if (task_.history) replay(x, first);
    read_gradient(x, first, before);
    step_.body->apply(update_of(step_), x);
    if (step_.sum_change) sum_change(x, after);
    if (step_.zero_grad) gradient_.write(first, count);
    write(x, first);
  }

  void direct(int64_t first, int64_t count, gradient_lanes& before) {
    operands x = {};
    x.n = count;
    x.p = parameter_.read(first, count);
    read_states(x, first);
    read_gradient(x, first, before);
    step_.body->matrix.direct(update_of(step_), x, task_.direction(first));
    if (step_.zero_grad) gradient_.write(first, count);
    write_states(x, first);
  }

  void descend(int64_t first, int64_t count, change_lanes& after) {
    operands x = {};
    x.n = count;
    x.p = parameter_.read(first, count);
    if (task_.has_average) x.average = average_.read(first, count);
    if (step_.sum_change) std::memcpy(before_.bytes, x.p, size_t(count * bytes_));
    x.g = task_.direction(first);
    gradstep::update along = update_of(step_);
    along.gradient = nullptr;
    step_.body->apply(along, x);
    if (step_.sum_change) sum_change(x, after);
    write_parameter(x, first);
  }

  void replay(int64_t first, int64_t count) {
    const operands x = read(first, count);
    replay(x, first);
    write(x, first);
  }

 private:
  operands read(int64_t first, int64_t count) {
    operands x = {};
    x.n = count;
    x.p = parameter_.read(first, count);
    read_states(x, first);
    if (task_.has_average) x.average = average_.read(first, count);
    return x;
  }
  void read_states(operands& x, int64_t first) {
    for (int k = 0; k < task_.state_count; ++k) x.s[k] = states_[k].read(first, x.n);
  }

  // Its sums are of the original gradient, before any transform.
  void read_gradient(operands& x, int64_t first, gradient_lanes& before) {
    void* const gradient = gradient_.read(first, x.n);
    x.g = gradient;
    if (step_.sum_gradient)
      sums_.add_squares(gradient, x.n, step_.gradient.unscale, before.squares, before.nonfinite);
    if (step_.zero_grad) x.zeroed = gradient;
  }

  void write(const operands& x, int64_t first) {
    write_states(x, first);
    write_parameter(x, first);
  }
  void write_states(const operands& x, int64_t first) {
    for (int k = 0; k < task_.state_count; ++k)
      if (!task_.matrix || !task_.matrix->is_own(k)) states_[k].write(first, x.n);
  }
  void write_parameter(const operands& x, int64_t first) {
    if (task_.has_average) average_.write(first, x.n);
    if (task_.has_copy) copy_.put(x.p, first, x.n);
    parameter_.write(first, x.n);
  }

  // Applies the updates that each row has missed, with a gradient of zero.
  void replay(operands x, int64_t first) {
    const row_history& history = *task_.history;
    x.g = zeros.bytes;
    for_each_row(task_.parameter, first, x.n, [&](int64_t row, int64_t, int64_t run) {
      x.n = run;
      for (size_t step = size_t(history.applied[size_t(task_.parameter.rows->numbers[size_t(row)])]);
           step < history.steps.size(); ++step) {
        history.steps[step].body->apply(update_of(history.steps[step]), x);
        round(x);
      }
      advance(x.p, run);
      for (int k = 0; k < task_.state_count; ++k) advance(x.s[k], run);
      if (x.average) advance(x.average, run);
    });
  }

  // Rounds as memory would have done after each missed update.
  void round(const operands& x) {
    parameter_.round(x.p, x.n);
    for (int k = 0; k < task_.state_count; ++k) states_[k].round(x.s[k], x.n);
    if (task_.has_average) average_.round(x.average, x.n);
  }

  void advance(void*& pointer, int64_t count) const {
    pointer = static_cast<char*>(pointer) + count * bytes_;
  }

  void sum_change(const operands& x, change_lanes& sums) {
    sums_.add_change(x.p, before_.bytes, x.n, sums.change, sums.parameter);
  }

  const tensor_task& task_;
  const host_update& step_;
  const sum_bodies& sums_;
  int64_t bytes_;
  block parameter_, gradient_, average_, copy_;
  block states_[state_limit];
  buffer before_;
};

void update_in_place(const tensor_task& task, int64_t first, int64_t count) {
  operands x = {};
  x.n = count;
  x.p = element(task.parameter, first);
  x.g = element(task.gradient, first);
  for (int k = 0; k < task.state_count; ++k) x.s[k] = element(task.states[k], first);
  if (task.has_average) x.average = element(task.average, first);
  if (task.step->zero_grad) x.zeroed = element(task.gradient, first);
  task.step->body->apply(update_of(*task.step), x);
}

void update_as_stored(const tensor_task& task, int64_t first, int64_t count) {
  const auto stored = [&](const operand& x) { return stored_array{element(x, first), x.type}; };
  stored_operands x = {};
  x.n = count;
  x.p = stored(task.parameter);
  x.g = stored(task.gradient);
  for (int k = 0; k < task.state_count; ++k) x.s[k] = stored(task.states[k]);
  if (task.has_average) x.average = stored(task.average);
  if (task.has_copy) x.copy = stored(task.copy);
  x.zeroes = task.step->zero_grad;
  task.step->body->apply_stored(update_of(*task.step), x);
}

// The first array that is a transposed matrix; null where there is none, or where one has groups, which a
// tile would cut.
const operand* transposed(const tensor_task& task) {
  const operand* all[4 + state_limit] = {&task.gradient, &task.parameter};
  int count = 2;
  for (int k = 0; k < task.state_count; ++k) all[count++] = &task.states[k];
  if (task.has_average) all[count++] = &task.average;
  if (task.has_copy) all[count++] = &task.copy;
  const operand* found = nullptr;
  for (int k = 0; k < count; ++k) {
    if (all[k]->second) return nullptr;
    if (!found && transposed_columns(*all[k]) >= tile_columns) found = all[k];
  }
  return found;
}

// Calls visit(first, count) for the whole rows of such a matrix, by tiles, and by blocks for what is before
// and behind them.
template <class Visit>
void for_each_tile(const operand& matrix, int64_t first, int64_t count, const Visit& visit) {
  const int64_t columns = matrix.dimensions.back().size, end = first + count;
  const int64_t first_row = (first + columns - 1) / columns, last_row = end / columns;
  if (first_row >= last_row) return for_each_block(first, count, visit);
  for_each_block(first, first_row * columns - first, visit);
  const int64_t rows = rows_of_tile(matrix);
  for (int64_t row = first_row, next; row < last_row; row = next) {
    next = std::min((row / rows + 1) * rows, last_row);
    for (int64_t column = 0; column < columns; column += tile_columns)
      for (int64_t r = row; r < next; ++r)
        visit(r * columns + column, std::min(tile_columns, columns - column));
  }
  for_each_block(last_row * columns, end - last_row * columns, visit);
}

// Apart, like the walk over blocks: the sums of a step that measures have an order of their own.
[[gnu::noinline]] void update_in_tiles(const target& on, const tensor_task& task, const operand& matrix,
                                       int64_t first, int64_t count) {
  block_walk blocks(on, task, first + count);
  gradient_lanes before;
  change_lanes after;
  for_each_tile(matrix, first, count, [&](int64_t at, int64_t n) { blocks.update(at, n, before, after); });
}

// A separate function, so that small tensors, which need no buffers, do not pay for their space on the stack.
[[gnu::noinline]] void update_in_blocks(const target& on, const tensor_task& task, int64_t first,
                                        int64_t count) {
  block_walk blocks(on, task);
  for_each_leaf(first, count, [&](int64_t leaf, int64_t from, int64_t to) {
    gradient_lanes before;
    change_lanes after;
    for (; from < to; from += block_elements)
      blocks.update(from, std::min(block_elements, to - from), before, after);
    if (task.step->sum_gradient) before.fold_into(task.leaves[leaf]);
    if (task.step->sum_change) after.fold_into(task.leaves[leaf]);
  });
}

void update_by_parts(const target& on, const tensor_task& task, int64_t first, int64_t count) {
  if (const operand* const matrix = has_order(task) ? nullptr : transposed(task)) {
    update_in_tiles(on, task, *matrix, first, count);
  } else {
    update_in_blocks(on, task, first, count);
  }
}

// Writes the directions, if they are needed whole, and everything that the update does to the gradient and
// the states.
void direct_run(const target& on, const tensor_task& task, int64_t first, int64_t count) {
  block_walk blocks(on, task);
  for_each_leaf(first, count, [&](int64_t leaf, int64_t from, int64_t to) {
    gradient_lanes before;
    for_each_block(from, to - from, [&](int64_t at, int64_t n) { blocks.direct(at, n, before); });
    if (task.step->sum_gradient) before.fold_into(task.leaves[leaf]);
  });
}

}  // namespace

update update_of(const host_update& step) {
  return {step.rate,
          step.decay_factor,
          step.decay_factor_if_opposed,
          step.rule,
          step.transforms_gradient ? &step.gradient : nullptr,
          step.average_weight};
}

int64_t tensor_task::element_bytes() const {
  int64_t bytes = 2 * format_of(parameter.type).bytes + format_of(gradient.type).bytes;
  for (int k = 0; k < state_count; ++k) bytes += 2 * format_of(states[k].type).bytes;
  if (has_average) bytes += 2 * format_of(average.type).bytes;
  if (has_copy) bytes += format_of(copy.type).bytes;
  return bytes;
}

void update_run(const target& on, const tensor_task& task, int64_t first, int64_t count) {
  if (task.matrix && task.matrix->form.transforms_direction) {
    direct_run(on, task, first, count);
  } else if (updates_in_place(task)) {
    update_in_place(task, first, count);
  } else {
    const int64_t whole = lies_in_formats_of_registers(on, task) ? count - count % on.stored_unit : 0;
    if (whole > 0) update_as_stored(task, first, whole);
    if (whole < count) update_by_parts(on, task, first + whole, count - whole);
  }
}

void descend_run(const target& on, const tensor_task& task, int64_t first, int64_t count) {
  block_walk blocks(on, task);
  for_each_leaf(first, count, [&](int64_t leaf, int64_t from, int64_t to) {
    change_lanes after;
    for_each_block(from, to - from, [&](int64_t at, int64_t n) { blocks.descend(at, n, after); });
    if (task.step->sum_change) after.fold_into(task.leaves[leaf]);
  });
}

void measure_rule_run(const target& on, const tensor_task& task, int64_t first, int64_t count) {
  block_walk blocks(on, task);
  for_each_leaf(first, count, [&](int64_t leaf, int64_t from, int64_t to) {
    rule_lanes lanes = {};
    for (; from < to; from += block_elements)
      blocks.measure_rule(from, std::min(block_elements, to - from), lanes);
    for (int i = 0; i < 2; ++i) task.leaves[leaf].rule[i] = fold_lanes(lanes[i]);
  });
}

void replay_run(const target& on, const tensor_task& task, int64_t first, int64_t count) {
  block_walk blocks(on, task);
  for_each_block(first, count, [&](int64_t at, int64_t n) { blocks.replay(at, n); });
}

void sum_gradient_run(const target& on, const tensor_task& task, double unscale, int64_t first,
                      int64_t count) {
  block gradient(on, task.gradient, task.type);
  for_each_leaf(first, count, [&](int64_t leaf, int64_t from, int64_t to) {
    gradient_lanes sums;
    for (; from < to; from += block_elements) {
      const int64_t n = std::min(block_elements, to - from);
      on.sums[int(task.type)].add_squares(gradient.read(from, n), n, unscale, sums.squares, sums.nonfinite);
    }
    sums.fold_into(task.leaves[leaf]);
  });
}

void zero_run(const tensor_task& task, int64_t first, int64_t count) {
  const operand& gradient = task.gradient;
  if (gradient.direct) {
    std::memset(element(gradient, first), 0, size_t(count * format_of(gradient.type).bytes));
    return;
  }
  for_each_block(first, count, [&](int64_t at, int64_t n) { scatter(zeros.bytes, gradient, at, n); });
}

}  // namespace gradstep
