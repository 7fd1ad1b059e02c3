// Plans for tests, driven as the Python layer drives them (cpp/python/host_stepper.cpp, binding.cpp), over
// arrays that the tests own.
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "allocations.h"
#include "arrays.h"
#include "plan/host_plan.h"
#include "plan/memory.h"
#include "plan/rule_reductions.h"

namespace checks {

using gradstep::group_settings;
using gradstep::step_settings;

inline group_settings settings_of(const std::string& rule, std::vector<double> hypers, double lr) {
  const gradstep::target& on = gradstep::active_target();
  group_settings made;
  while (made.rule < on.rule_count && on.rules[made.rule].name != rule) ++made.rule;
  CHECK(made.rule < on.rule_count);
  made.hypers = std::move(hypers);
  made.lr = lr;
  return made;
}
inline group_settings momentum_settings() { return settings_of("sgd_momentum", {0.9, 0.1}, 0.05); }
inline group_settings adamw_settings() {
  group_settings made = settings_of("adam", {0.9, 0.99, 1e-8}, 0.01);
  made.weight_decay = 0.1;
  made.options.decay = gradstep::decay_kind::decoupled;
  return made;
}

// The arrays of a state: those of the rule, the average, the copy.
struct state_views {
  std::vector<array_view> of_rule;
  std::optional<array_view> average, copy;
};

// Values for some rows of a parameter.
struct sparse_rows {
  array_view values;
  std::vector<int64_t> numbers;
};

class test_plan {
 public:
  // Its states and its count of updates are new.
  void add(int group, const array_view& parameter, const array_view& gradient, state_views states) {
    count_of_updates_.push_back(0);
    held_.push_back({group, parameter, gradient, std::move(states), {}, true});
    gradstep::tensor& made = tensors_.all.emplace_back();
    const state_views& its = held_.back().states;
    made.layout.expect({int(its.of_rule.size()), its.average.has_value(), its.copy.has_value()});
    made.time.numbers = {{reinterpret_cast<char*>(&count_of_updates_.back()), dtype::f64}};
  }

  // A tensor's arrays lie elsewhere from the next step on; a gradient may be that of some rows.
  void move(int index, const array_view& parameter, const array_view& gradient, state_views states) {
    held& of = held_[size_t(index)];
    of = {of.group, parameter, gradient, std::move(states), {}, true};
  }
  void set_gradient(int index, const array_view& gradient) { held_[size_t(index)].gradient = gradient; }
  void set_rows(int index, sparse_rows rows) { held_[size_t(index)].rows = std::move(rows); }

  // Reads the arrays; what shares memory and may not is found here.
  std::optional<gradstep::shared_memory> read(const std::vector<group_settings>& groups) {
    tensors_.start_step();
    for (int i = 0; i < int(held_.size()); ++i) {
      const int group = held_[size_t(i)].group;
      tensors_[i].layout.see_as(gradstep::rule_of(groups[size_t(group)]).form);
      if (lay_out(i)) tensors_.invalidate(tensors_[i]);
      tensors_.activate(i, group);
    }
    return memory_.find(tensors_, groups);
  }

  // False if the step was skipped. Fails where it allocates once it may write.
  bool step(const std::vector<group_settings>& groups, const step_settings& options = {}) {
    if (read(groups)) throw std::logic_error("the arrays of a test share memory");
    plan_.cut(options.threads);
    plan_.reserve(groups, options);
    gradstep::run_parallel(options.threads, [](void*) {}, nullptr);  // makes the threads
    const no_allocations from_now_on;
    if (!plan_.decide(groups, options)) {
      plan_.zero_gradients();
      return false;
    }
    plan_.prepare(groups, options);
    plan_.write();
    plan_.take_report(groups, options);
    return true;
  }

  // Applies what these rows of a tensor have missed, or all for none given.
  void catch_up(int index, std::optional<std::vector<int64_t>> among = std::nullopt, int threads = 1) {
    gradstep::tensor& each = tensors_[index];
    if (!each.lazy.lag()) return;
    each.layout.visit_rows(each.lazy.behind(among));
    each.layout.task.step = &each.lazy.last_update();
    plan_.cut_rows({index}, threads);
    plan_.apply_missed({index}, !among);
  }

  gradstep::tensor_list& tensors() { return tensors_; }
  gradstep::host_plan& plan() { return plan_; }
  const gradstep::step_report& report() const { return plan_.report(); }
  double updates(int index) const { return count_of_updates_[size_t(index)]; }

 private:
  struct held {
    int group;
    array_view parameter, gradient;
    state_views states;
    std::optional<sparse_rows> rows;
    bool states_moved;
  };

  // Whether it lies elsewhere than before.
  bool lay_out(int index) {
    held& its = held_[size_t(index)];
    gradstep::tensor& each = tensors_[index];
    gradstep::tensor_layout& layout = each.layout;
    const int row_dimensions = its.rows ? 1 : 0;
    bool moved = layout.lies_elsewhere(its.parameter, row_dimensions);
    its.states_moved |= layout.is_reshaped(its.parameter, row_dimensions);
    if (moved) layout.lay_out(its.parameter, row_dimensions);
    moved |= its.states_moved;
    if (std::exchange(its.states_moved, false)) set_states(layout, its.states);
    layout.finish();
    layout.task.history = its.rows ? &each.lazy.follow(layout.row_count()) : nullptr;
    if (!its.rows) {
      layout.set_gradient(its.gradient, moved);
      return moved;
    }
    gradstep::row_order order = gradstep::sort_rows(its.rows->numbers);
    if (!layout.fits(its.rows->values, order)) throw std::logic_error("the rows of a test do not fit");
    layout.set_rows(its.rows->values, std::move(order));
    return true;
  }

  static void set_states(gradstep::tensor_layout& layout, const state_views& states) {
    size_t member = 0;
    for (const array_view& each : states.of_rule) layout.set_state(member++, each);
    if (states.average) layout.set_state(member++, *states.average);
    if (states.copy) layout.set_state(member++, *states.copy);
  }

  std::deque<held> held_;
  std::deque<double> count_of_updates_;
  gradstep::tensor_list tensors_;
  gradstep::host_plan plan_{tensors_};
  gradstep::memory_check memory_;
};

// A parameter, its gradient and its states, which start at zero: each straight, or in a layout of its own.
struct tensor_arrays {
  array parameter, gradient;
  std::vector<array> states;

  tensor_arrays(dtype type, const shape& of, int state_count, random_numbers* layouts = nullptr)
      : parameter(make(type, of, layouts)), gradient(make(type, of, layouts)) {
    for (int i = 0; i < state_count; ++i) {
      states.push_back(make(type, of, layouts));
      states.back().fill([] { return 0.0; });
    }
  }

  state_views state() const {
    state_views views;
    for (const array& each : states) views.of_rule.push_back(each.view());
    return views;
  }
  void add_to(test_plan& plan, int group = 0) const {
    plan.add(group, parameter.view(), gradient.view(), state());
  }

 private:
  static array make(dtype type, const shape& of, random_numbers* layouts) {
    return layouts ? any_array(*layouts, type, of) : array(type, of);
  }
};

}  // namespace checks
