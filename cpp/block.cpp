#include "block.h"

#include <algorithm>

namespace gradstep {

namespace {

constexpr int64_t block_elements = 1024;  // parameter, gradient and states of one block fit in L1

struct alignas(64) buffer {
  char bytes[block_elements * 8];
};

bool in_place(const operand& x, arithmetic type) {
  return x.direct && x.type == (type == arithmetic::f64 ? dtype::f64 : dtype::f32);
}

char* element(const operand& x, int64_t index) { return x.data + index * dtype_bytes[int(x.type)]; }

// One operand's block: either the user's memory itself or a decoded copy.
class block {
 public:
  block(const target& on, const operand& x, arithmetic type)
      : x_(x), storage_(on.storages[int(x.type)]), type_(type), in_place_(in_place(x, type)) {}

  void* read(int64_t first, int64_t count) {
    if (in_place_) return element(x_, first);
    const void* stored = element(x_, first);
    if (!x_.direct) {
      gather(x_, first, count, stored_.bytes);
      stored = stored_.bytes;
    }
    storage_.decode[int(type_)](stored, decoded_.bytes, count);
    return decoded_.bytes;
  }

  void write(int64_t first, int64_t count) {
    if (in_place_) return;
    void* const stored = x_.direct ? static_cast<void*>(element(x_, first)) : stored_.bytes;
    storage_.encode[int(type_)](decoded_.bytes, stored, count);
    if (!x_.direct) scatter(stored_.bytes, x_, first, count);
  }

 private:
  const operand& x_;
  const storage_entry& storage_;
  arithmetic type_;
  bool in_place_;
  buffer stored_, decoded_;
};

bool all_in_place(const tensor_task& task) {
  const arithmetic type = task.step->type;
  bool straight = in_place(task.parameter, type) && in_place(task.gradient, type);
  for (int k = 0; k < task.state_count; ++k) straight &= in_place(task.states[k], type);
  return straight;
}

}  // namespace

int64_t tensor_task::element_bytes() const {
  int64_t bytes = 2 * dtype_bytes[int(parameter.type)] + dtype_bytes[int(gradient.type)];
  for (int k = 0; k < state_count; ++k) bytes += 2 * dtype_bytes[int(states[k].type)];
  return bytes;
}

void update_run(const target& on, const tensor_task& task, int64_t first, int64_t count) {
  const constants& step = *task.step;
  const update apply = {step.rate, step.keep, step.rule};
  const bool adjusted = step.maximize || step.coupled_decay != 0;
  operands x = {};
  x.n = count;

  if (!adjusted && all_in_place(task)) {
    x.p = element(task.parameter, first);
    x.g = element(task.gradient, first);
    for (int k = 0; k < task.state_count; ++k) x.s[k] = element(task.states[k], first);
    return step.body->apply(apply, x);
  }

  block parameter(on, task.parameter, step.type), gradient(on, task.gradient, step.type);
  block states[state_limit] = {{on, task.states[0], step.type},
                               {on, task.states[1], step.type},
                               {on, task.states[2], step.type},
                               {on, task.states[3], step.type}};
  buffer prepared;
  for (const int64_t end = first + count; first < end; first += x.n) {
    x.n = std::min(block_elements, end - first);
    x.p = parameter.read(first, x.n);
    x.g = gradient.read(first, x.n);
    for (int k = 0; k < task.state_count; ++k) x.s[k] = states[k].read(first, x.n);
    if (adjusted) {
      on.adjust[int(step.type)](prepared.bytes, x.g, x.p, x.n, step.maximize, step.coupled_decay);
      x.g = prepared.bytes;
    }
    step.body->apply(apply, x);
    parameter.write(first, x.n);
    for (int k = 0; k < task.state_count; ++k) states[k].write(first, x.n);
  }
}

}  // namespace gradstep
