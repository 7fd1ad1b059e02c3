// The plan of an optimizer: every tensor of every group with its states and its own time, and the step over
// all of them in one call and one parallel region.
#pragma once

#include <pybind11/pybind11.h>

#include <deque>
#include <vector>

#include "chunks.h"
#include "identities.h"
#include "preparation.h"
#include "settings.h"
#include "slot.h"

namespace gradstep {

class plan {
 public:
  // Gives the tensor at `index` (counted over all groups) its states.
  void bind(int index, pybind11::dict state, const state_names& names, bool fresh);

  // One step. `parameters` holds a list for each group; `gradients` is a flat list with an entry or None for
  // each parameter, or None to take each parameter's `.grad`; `states` is the dict or list of all states.
  // Where tensors have no states yet it writes nothing and returns their indices, to be bound before it is
  // called again; else it returns an empty list.
  pybind11::list step(const pybind11::list& parameters, const pybind11::object& gradients,
                      const pybind11::object& states, const std::vector<group_settings>& groups,
                      const step_settings& options);

  // Makes up for what these rows of the tensor at `index`, or all for None, have missed while their sparse
  // gradients left them out.
  void catch_up(int index, const pybind11::object& rows, int threads);

  const step_report& report() const { return report_; }
  void join_reports();  // of the steps since the last call, each of some of the tensors, into one
  // The parameters that the last step or catching up wrote.
  const pybind11::list& written() const { return written_; }
  int gathered() const;  // how many of them took the path for other layouts

  // For Python's garbage collector: a parameter's hook may hold the optimizer that holds this plan.
  int traverse(visitproc visit, void* arg) const;
  void clear();

 private:
  pybind11::list read_all(const pybind11::list& parameters, const pybind11::object& gradients,
                          const std::vector<group_settings>& groups, std::vector<pybind11::object>& keep);
  std::vector<int> zeroed(const std::vector<group_settings>& groups) const;
  void cut(int threads);
  std::vector<const prepared*> prepare(const std::vector<group_settings>& groups,
                                       const step_settings& options, const std::vector<double>& shrink,
                                       bool measured);
  void update(const std::vector<group_settings>& groups, const step_settings& options,
              const std::vector<double>& shrink, bool measured);
  void replay(int index, const pybind11::object& rows, int threads);
  void zero_gradients(const std::vector<group_settings>& groups);

  // plan_reports.cpp
  void measure(const step_settings& options);  // the gradients
  std::vector<double> shrinkage(const std::vector<group_settings>& groups,
                                const step_settings& options) const;  // what multiplies each group's, to clip
  sums total_of_group(int group) const;
  void report_measured(const sums& all);

  std::deque<slot> slots_;
  std::vector<int> active_, group_of_active_;  // tensors with a gradient in this step
  std::vector<tensor_task*> tasks_;            // of these
  bool moved_ = true;                          // a tensor lies elsewhere since the last cut
  chunk_list chunks_;
  pybind11::list written_;
  preparation preparation_;
  step_report report_;
  identities states_seen_;  // the states' dicts, as they were at the last step
  bool bound_ = true;       // a tensor was given its states since the last step, or there was none
  bool stepping_ = false;
};

}  // namespace gradstep
