#include "separate.h"

#include <cmath>
#include <deque>
#include <vector>

#include "dispatch.h"
#include "gradients.h"
#include "number_cell.h"
#include "operand_block.h"
#include "preparation.h"
#include "sharing.h"

namespace py = pybind11;

namespace gradstep::separate {

namespace {

// The arrays of one call, read and found fit for it.
class array_list {
 public:
  explicit array_list(size_t count) { views_.reserve(count); }  // so that they stay where they are

  void read_gradients(const py::list& gradients) {
    int index = 0;
    for (const py::handle each : gradients) {
      const array_role role = {"gradient", index++};
      if (each.is_none()) continue;
      const array_view& gradient = read(each, role);
      add(gradient).gradient = operand(gradient, memory_order(gradient));
    }
  }

  void read_written_gradients(const py::list& gradients) {
    read_gradients(gradients);
    for (size_t i = 0; i < views_.size(); ++i) require_writable(views_[i], roles_[i]);
    refuse_overlap(views_, roles_);
  }

  // The arrays to be written, each the `part` of a parameter's task, and the parameters.
  void read_pairs(operand tensor_task::* part, const char* what, const py::list& written,
                  const py::list& parameters) {
    for (size_t i = 0; i < written.size(); ++i) {
      const array_role role = {what, int(i)};
      const array_view& mine = read(written[i], role);
      const array_view& parameter = read(parameters[i], {"parameter", int(i)});
      require_writable(mine, role);
      require_shape(mine, parameter, role.text());
      const visiting_order order = memory_order(parameter);
      tensor_task& task = add(parameter);
      task.parameter = operand(parameter, order);
      task.*part = operand(mine, order);
    }
    refuse_overlap(views_, roles_);
  }

  chunk_list cut(int threads) {
    std::vector<tensor_task*> tasks;
    for (tensor_task& each : tasks_) tasks.push_back(&each);
    chunk_list chunks;
    chunks.cut(tasks, true, threads);
    return chunks;
  }

 private:
  const array_view& read(py::handle array, const array_role& role) {
    py::object owner;
    views_.push_back(read_anywhere(array, role, owner));
    roles_.push_back(role);
    refuse_device(views_.back(), role);
    refuse_negated(array, role);
    kept_alive_.push_back(owner ? std::move(owner) : py::reinterpret_borrow<py::object>(array));
    return views_.back();
  }

  static void refuse_device(const array_view& view, const array_role& role) {
    if (view.where == host_memory) return;
    throw py::type_error(
        role.text() + " is on " + view.where.text() +
        ", but calls apart from the step are for arrays on the CPU: move it there, or ask an " +
        "optimizer of what is on " + view.where.text() +
        " for the same in its step (clip_norm, clip_value, ema, cast_to, zero_grad)");
  }

  static void require_writable(const array_view& view, const array_role& role) {
    if (!view.writable) refuse_read_only(role.text());
  }

  tensor_task& add(const array_view& visited) {
    tensor_task& task = tasks_.emplace_back();
    task.type = arithmetic_of(visited.type);
    task.size = visited.size();
    return task;
  }

  std::vector<array_view> views_;
  std::vector<array_role> roles_;
  std::vector<py::object> kept_alive_;
  std::deque<tensor_task> tasks_;
};

const around_bodies& around(const tensor_task& task) { return active_target().around[int(task.type)]; }

void prepare_run(const tensor_task& task, const gradient_stage& stage, int64_t first, int64_t count) {
  block gradient(active_target(), task.gradient, task.type);
  for_each_block(first, count, [&](int64_t at, int64_t n) {
    void* const g = gradient.read(at, n);
    around(task).prepare_gradient(g, n, stage);
    gradient.write(at, n);
  });
}

void average_run(const tensor_task& task, double weight, int64_t first, int64_t count) {
  block parameter(active_target(), task.parameter, task.type);
  block average(active_target(), task.average, task.type);
  for_each_block(first, count, [&](int64_t at, int64_t n) {
    around(task).average(average.read(at, n), parameter.read(at, n), n, weight);
    average.write(at, n);
  });
}

void cast_run(const tensor_task& task, int64_t first, int64_t count) {
  block parameter(active_target(), task.parameter, task.type);
  block copy(active_target(), task.copy, task.type);
  for_each_block(first, count, [&](int64_t at, int64_t n) { copy.put(parameter.read(at, n), at, n); });
}

void prepare(const chunk_list& chunks, const gradient_stage& stage) {
  chunks.run([&](const chunk& each) { prepare_run(*each.task, stage, each.first, each.count); });
}

}  // namespace

bool unscale(const py::list& gradients, double by, int threads) {
  array_list arrays(gradients.size());
  arrays.read_written_gradients(gradients);
  const chunk_list chunks = arrays.cut(threads);
  chunks.run([&](const chunk& each) {
    for_each_leaf(each.first, each.count, [&](int64_t, int64_t first, int64_t end) {
      prepare_run(*each.task, {by, 1, no_limit, 0, false}, first, end - first);
      measure_run(active_target(), *each.task, 1, first, end - first);  // what has been written, in L1
    });
  });
  return chunks.total().nonfinite > 0;
}

double norm(const py::list& gradients, int threads) {
  array_list arrays(gradients.size());
  arrays.read_gradients(gradients);
  return std::sqrt(measure_gradients(arrays.cut(threads), 1).gradient);
}

double clip_norm(const py::list& gradients, double limit, std::optional<double> total, int threads) {
  array_list arrays(gradients.size());
  arrays.read_written_gradients(gradients);
  const chunk_list chunks = arrays.cut(threads);
  const double norm = total ? *total : std::sqrt(measure_gradients(chunks, 1).gradient);
  const double shrink = shrink_to(limit, norm);
  if (shrink != 1) prepare(chunks, {1, shrink, no_limit, 0, false});
  return norm;
}

void clip_value(const py::list& gradients, double limit, int threads) {
  array_list arrays(gradients.size());
  arrays.read_written_gradients(gradients);
  prepare(arrays.cut(threads), {1, 1, limit, 0, false});
}

void zero(const py::list& gradients, int threads) {
  array_list arrays(gradients.size());
  arrays.read_written_gradients(gradients);
  arrays.cut(threads).run([](const chunk& each) { zero_run(*each.task, each.first, each.count); });
}

void average(const py::list& averages, const py::list& parameters, double decay, const py::object& product,
             int threads) {
  array_list arrays(2 * parameters.size());
  arrays.read_pairs(&tensor_task::average, "the average of parameter", averages, parameters);
  double weight = 1 - decay, so_far = 1;
  number_cell kept{};
  py::object owner;
  if (!product.is_none()) {
    kept = read_cell(read_array(product, {"product"}, owner), "product");
    so_far = kept.get();
    weight = corrected_average_weight(decay, so_far);
  }
  arrays.cut(threads).run(
      [&](const chunk& each) { average_run(*each.task, weight, each.first, each.count); });
  if (kept.data) kept.set(so_far);
}

void cast(const py::list& copies, const py::list& parameters, int threads) {
  array_list arrays(2 * parameters.size());
  arrays.read_pairs(&tensor_task::copy, "the copy of parameter", copies, parameters);
  arrays.cut(threads).run([](const chunk& each) { cast_run(*each.task, each.first, each.count); });
}

}  // namespace gradstep::separate
