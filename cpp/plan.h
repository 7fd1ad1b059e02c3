// The plan of an optimizer whose tensors are in the host's memory: the step over all of them in one call and
// one parallel region.
#pragma once

#include <pybind11/pybind11.h>

#include <vector>

#include "chunks.h"
#include "preparation.h"
#include "tensors.h"

namespace gradstep {

class plan : public tensors {
 public:
  plan() : tensors(host_memory) {}

  // One step. `parameters` holds a list for each group; `gradients` is a flat list with an entry or None for
  // each parameter, or None to take each parameter's `.grad`; `states` is the dict or list of all states.
  // Where tensors have no states yet it writes nothing and returns their indices, to be bound before it is
  // called again; else it returns an empty list.
  pybind11::list step(const pybind11::list& parameters, const pybind11::object& gradients,
                      const pybind11::object& states, const std::vector<group_settings>& groups,
                      const step_settings& options);

  // Makes up for what these rows of the tensor at `index`, or all for None, have missed while their sparse
  // gradients left them out. Returns the parameter, where it was written.
  pybind11::list catch_up(int index, const pybind11::object& rows, int threads);

  const step_report& report() const { return report_; }
  bool skipped() const { return report_.skipped; }
  void join_reports();  // of the steps since the last call, each of some of the tensors, into one

 private:
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

  chunk_list chunks_;
  preparation preparation_;
  step_report report_;
};

}  // namespace gradstep
