// The tensors of an optimizer: read, refused where they can't be stepped, and given their states, for the
// plan that steps them.
#pragma once

#include <pybind11/pybind11.h>

#include <deque>
#include <utility>
#include <vector>

#include "identities.h"
#include "settings.h"
#include "sharing.h"
#include "slot.h"

namespace gradstep {

// Marks a plan as stepping for as long as it lives.
class step_guard {
 public:
  explicit step_guard(bool& stepping) : stepping_(stepping) {
    if (stepping)
      throw std::runtime_error(
          "this optimizer is already stepping in another thread: give each thread its own optimizer, or a "
          "lock");
    stepping_ = true;
  }
  ~step_guard() { stepping_ = false; }

 private:
  bool& stepping_;
};

class tensors {
 public:
  explicit tensors(const device& where) : where_(where) {}

  // Gives the tensor at `index` (counted over all groups) its states.
  void bind(int index, pybind11::dict state, const state_names& names, bool fresh);

  // The arrays that the last step wrote whose versions autograd counts: the parameters, and the gradients
  // that were filled with zeros. Handed over, for nobody else may want to keep the gradients.
  pybind11::list take_written() { return std::exchange(written_, pybind11::list()); }
  int gathered() const;  // how many of them took the path for other layouts

  // For Python's garbage collector: a parameter's hook may hold the optimizer that holds this plan.
  int traverse(visitproc visit, void* arg) const;
  void clear();

 protected:
  // Takes up what a step is made of, and raises for what can't be stepped. The arguments are those of
  // `plan::step`; `keep` holds what keeps memory alive. Returns the indices of tensors without states.
  pybind11::list read_all(const pybind11::list& parameters, const pybind11::object& gradients,
                          const pybind11::object& states, const std::vector<group_settings>& groups,
                          std::vector<pybind11::object>& keep);

  // Whether other tensors step than the last time, or from another place.
  bool changed() const { return moved_ || active_.indices != settled_; }
  void settle();  // takes note that what follows from them has been made

  void remember_states(const pybind11::object& states);  // after a step
  void note_written(const std::vector<group_settings>& groups, bool updated);
  std::vector<int> zeroed(const std::vector<group_settings>& groups) const;  // whose gradients are filled

  std::deque<slot> slots_;
  active_tensors active_;
  std::vector<tensor_task*> tasks_;  // of these
  bool moved_ = true;                // a tensor lies elsewhere since the last `settle`
  bool stepping_ = false;

 private:
  pybind11::list read_groups(const pybind11::list& parameters, const pybind11::object& gradients,
                             const std::vector<group_settings>& groups, std::vector<pybind11::object>& keep);

  void note_moved(slot& tensor);

  device where_;
  step_sharing sharing_;
  int64_t moves_ = 0;  // of all tensors
  std::vector<int> settled_;
  pybind11::list parameters_;  // of these
  pybind11::list written_;
  identities states_seen_;  // the states' dicts, as they were at the last step
  bool bound_ = true;       // a tensor was given its states since the last step, or there was none
};

}  // namespace gradstep
