// The objects of Python that a tensor of a plan belongs to: its parameter, its gradient, its state.
#pragma once

#include <pybind11/cast.h>

#include <map>
#include <string>
#include <vector>

#include "plan/settings.h"
#include "plan/tensor.h"
#include "python/identities.h"
#include "python/read_array.h"
#include "python/sighting.h"

namespace gradstep {

struct sparse_gradient;

// The contents of a state by name: the rule's arrays and numbers in the order of its arguments, and those of
// the options (an empty name where there is none).
struct state_names {
  std::vector<std::string> arrays, numbers;
  std::string average, average_product, copy;
  // Formats with two planes, of arrays by their names: the second plane is kept under "NAME_second".
  std::map<std::string, std::string> formats = {};
};

// A state for a tensor that has none or a partial one. It becomes the tensor's own when the step is certain
// to be made.
struct state_binding {
  int index;                    // of the tensor
  pybind11::dict state, added;  // what is there, and what the step adds to it
  state_names names;
  bool fresh;
};

// Objects that keep the memory of arrays alive during a step.
using owners = std::vector<pybind11::object>;

// Reads an array that is to be written.
array_view read_parameter(pybind11::handle parameter, const array_role& role, owners& keep);

// Invariant: the members are the objects that the state holds under these names, or that the next update adds
// to it. `known` is the last known place of each, if any.
class binding {
 public:
  // Of the tensor `of`, with that index, whose arrays are all there. On the host its numbers can be read.
  binding(tensor& of, int index, const device& where, bool on_host)
      : of_(&of), index_(index), where_(where), on_host_(on_host) {}

  const pybind11::object& parameter() const { return parameter_; }
  const std::vector<pybind11::object>& members() const { return members_; }
  pybind11::handle gradient_seen() const { return gradient_seen_; }
  std::string member_text(size_t member) const;  // "the state 'exp_avg' of parameter 3"

  void take(pybind11::handle parameter_now);  // begins anew for another one

  // Reads the present places of the parameter, the gradient and the states, if it has those that the rule
  // needs. True if the visited memory has changed.
  bool read(pybind11::handle gradient_now, const rule_entry& rule, const group_settings& settings,
            owners& keep);
  bool has_states() const { return bound_; }  // in this step
  void refuse_wrong_count() const;            // of updates, as the state says it

  // True if all arrays are still where they were read.
  bool is_unmoved(pybind11::handle gradient_now);

  // Reads the parameter's present place, to visit those of these rows that lag; None for all rows.
  void visit_lagging(const pybind11::object& numbers, owners& keep);

  void bind(const state_binding& given);
  bool is_bound_to(const state_binding& given) const { return added_.is(given.added); }
  void drop_added();                 // it is bound anew
  void own_added() { added_ = {}; }  // the update has added it to the state
  void forget_states() { states_known_ = false; }

  int traverse(visitproc visit, void* arg) const;

 private:
  array_view look_at_parameter(owners& keep) const;
  bool read_dense(const array_view& seen, const array_view& gradient, owners& keep);
  void read_rows(const array_view& seen, const sparse_gradient& gradient, owners& keep);
  void lay_out(const array_view& seen, int row_dimensions);
  void follow_rows(bool lag);
  void refuse_lagging() const;
  bool suits(int state_count, const group_settings& settings) const;
  bool holds_its_members();
  bool read_states(owners& keep);
  bool read_member(size_t member, owners& keep);  // false if it has not moved since it was last read
  void set_member(size_t member, const array_view& array);
  void set_second_plane(int state, const array_view& array, const std::string& what);
  array_role role(const char* what) const { return {what, index_, where_}; }

  tensor* of_;
  int index_;
  device where_;
  bool on_host_;
  pybind11::object parameter_;
  pybind11::dict state_;
  pybind11::object added_;  // what the next update adds to the state; null for nothing
  std::vector<pybind11::object> names_, members_;
  std::vector<sighting> known_;                // of the members
  sighting parameter_known_, gradient_known_;  // of a dense gradient
  identities values_seen_;                     // of the state, when it held the members
  std::vector<int> two_planed_;                // the rule's states whose second planes come last
  bool ema_bias_correction_ = false;           // a member is the product of the average's decays
  pybind11::handle gradient_seen_;             // the last gradient; alive only within its step
  pybind11::handle row_values_;                // or what a sparse one holds for its rows
  bool states_known_ = true;                   // the state is the one that is bound, as far as we know
  bool bound_ = false;                         // its states were read in this step
};

}  // namespace gradstep
