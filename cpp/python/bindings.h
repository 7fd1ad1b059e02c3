// The tensors of an optimizer: they are read, checked, and given their states, for the plan that steps them.
#pragma once

#include <pybind11/cast.h>

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "host/threads.h"
#include "plan/memory.h"
#include "plan/settings.h"
#include "plan/tensor.h"
#include "python/binding.h"
#include "python/bookkeeping.h"
#include "python/identities.h"

namespace gradstep {

// Marks a plan as stepping while it lives. In the child of a fork() during a step, the plan is not stepping.
class step_guard {
 public:
  explicit step_guard(int& stepping) : stepping_(stepping) {
    if (stepping == fork_generation())
      throw std::runtime_error(
          "this optimizer is already stepping in another thread: give each thread its own optimizer, or a "
          "lock");
    stepping_ = fork_generation();
  }
  ~step_guard() { stepping_ = 0; }

 private:
  int& stepping_;
};

// Arguments of a step. `parameters` holds a sequence for each group; `gradients` is a flat sequence with
// an entry or None for each parameter, or None to take each parameter's `.grad`; `states` is the dict or list
// of all states. `bindings` are of tensors that were without states.
struct step_arguments {
  pybind11::object parameters, gradients, states;
  std::vector<group_settings> groups;
  step_settings options;
  std::vector<state_binding> bindings;
};

// A step of another plan, which is made first.
template <class Plan>
struct earlier_step {
  Plan* by = nullptr;  // null for none
  step_arguments given;
};

// Entries to write into Python's objects: when the step makes an update, and when it skips it.
struct step_books {
  bookkeeping updated, skipped;
};

class bindings {
 public:
  bindings(const device& where, bool on_host) : where_(where), on_host_(on_host) {}

  int gathered() const;  // how many tensors of the last step took the path for other layouts

  // For Python's garbage collector: a parameter's hook may hold the optimizer that holds this plan.
  int traverse(visitproc visit, void* arg) const;
  void clear();

 protected:
  // Reads the objects of a step, and raises for those that can't be stepped. `keep` holds the objects that
  // keep memory alive. Returns the indices of tensors without states.
  pybind11::list read_all(const step_arguments& given, owners& keep);
  // Releases the arguments of a step. Bindings that led to no update are undone.
  class step_scope {
   public:
    step_scope(bindings& of, const step_arguments& given);
    ~step_scope();

   private:
    const bool after_fork_;  // in the middle of a step of another thread, which stayed behind
    const step_guard guard_;
    bindings& of_;
    const step_arguments& given_;
  };

  // Keeps the gradients of a captured step, since its replays read them.
  void keep_gradients(owners& keep) const {
    for (const stepped& each : given_) keep.push_back(each.gradient);
  }

  // Counts an update, or a skipped one, in Python's objects, in the states and for autograd.
  void count(const step_arguments& given, const bookkeeping& books, bool updated);

  // An update that is counted before it is known whether it is made. An earlier step of another stepper is
  // written in between, and nothing may fail after that. An exception takes the count back.
  class counted_ahead {
   public:
    counted_ahead(bindings& of, const step_arguments& given, const step_books& books);
    ~counted_ahead();
    counted_ahead(const counted_ahead&) = delete;
    void keep();
    void skip();  // leaves what the step's books say of one that is skipped

   private:
    bindings& of_;
    const step_arguments& given_;
    const step_books& books_;
    owners replaced_;
    bool decided_ = false;
  };

  void list_parameters();  // of the active tensors, where others step than the last time

  // Reads the rows of these tensors that lag, or those among `rows`.
  void visit_lagging(const std::vector<int>& indices, const pybind11::object& rows, owners& keep);
  pybind11::list parameters_of(const std::vector<int>& indices) const;
  const pybind11::object* any_parameter() const;  // null for none

  template <class Stepper>
  friend class read_step;

  tensor_list tensors_;
  int stepping_ = 0;  // the process in which it does, by its fork_generation

 private:
  void take_objects(const step_arguments& given);
  pybind11::list read_tensors(const step_arguments& given, owners& keep);
  void refuse_shared_memory(const std::vector<group_settings>& groups);
  bool are_unmoved();
  void resize(size_t count);
  pybind11::list written(const step_arguments& given, bool updated) const;
  owners write_books(const step_arguments& given, const bookkeeping& books, bool updated);
  void note_update(const step_arguments& given);
  std::string member_text(int tensor, size_t member) const;

  // A parameter of this step and its gradient.
  struct stepped {
    int index, group;
    pybind11::object parameter, gradient;
  };

  device where_;
  bool on_host_;             // the step is made there
  std::deque<binding> all_;  // of the tensors, in their order
  memory_check memory_;
  std::vector<stepped> given_;  // to the step that is being made
  pybind11::list parameters_;   // of the tensors that step
  identities states_seen_;      // the states' dicts, as they were at the last step
};

// The objects of a step, and of an earlier step of another stepper, read and held while this lives.
template <class Stepper>
class read_step {
  const bindings::step_scope scope_;
  std::optional<bindings::step_scope> scope_before_;
  const bool skips_;

 public:
  owners kept_alive;  // freed before the scopes end
  pybind11::list unbound;

  read_step(Stepper& of, const step_arguments& given, const earlier_step<Stepper>& before)
      : scope_(of, given), skips_(given.options.skip) {
    if (before.by) {
      scope_before_.emplace(*before.by, before.given);
      before.by->read(before.given, kept_alive);
    }
    unbound = of.read(given, kept_alive);
  }

  // Whether tensors must be given states first.
  bool lacks_states() const { return !unbound.empty() && !skips_; }
};

// Raises for arrays that can't be a plan's parameters, as a step would.
void check_parameters(const pybind11::list& parameters);

}  // namespace gradstep
