// The plan of an optimizer whose tensors are in the host's memory: the step over all of them in one call and
// one parallel region.
#pragma once

#include <pybind11/pybind11.h>

#include <vector>

#include "host/chunks.h"
#include "python/preparation.h"
#include "python/tensors.h"

namespace gradstep {

class plan : public tensors {
 public:
  plan() : tensors(host_memory, true) {}

  // One step, and before it one of another plan whose parameters are this one's gradients. Where tensors have
  // no states yet it writes nothing and returns their indices, to be bound when it is called again; else it
  // returns an empty list. An exception of any kind leaves all as it was.
  pybind11::list step(const step_arguments& given, const step_books& books, const earlier_step<plan>& before);

  // Makes up for what these rows of the tensors, or all for None, have missed while their sparse gradients
  // left them out.
  void catch_up(const std::vector<int>& indices, const pybind11::object& rows, int threads);

  const step_report& report() const { return report_; }
  bool skipped() const { return report_.skipped; }

 private:
  pybind11::list read(const step_arguments& given, std::vector<pybind11::object>& keep);
  bool decide(const step_arguments& given);  // whether to make an update
  std::vector<const prepared*> prepare(const std::vector<group_settings>& groups,
                                       const step_settings& options, const std::vector<double>& shrink,
                                       bool measured);
  void update(const step_arguments& given, const step_books& books, const earlier_step<plan>& before);
  std::vector<const prepared*> count_update(const step_arguments& given, const step_books& books);
  void write(const step_arguments& given, const step_books& books, const std::vector<const prepared*>& steps);
  void skip(const step_arguments& given, const step_books& books);
  void replay(const std::vector<int>& indices, const pybind11::object& rows, int threads);
  void visit_lagging(const std::vector<int>& indices, const pybind11::object& rows,
                     std::vector<pybind11::object>& keep);

  // plan_reports.cpp
  // `measured` says that the gradients' norm is there already.
  void take_report(const step_settings& options, const bookkeeping& books, bool measured);
  void join_reports();  // of the steps since the last call, each of some of the tensors, into one
  void measure(const std::vector<group_settings>& groups, const step_settings& options);  // the gradients
  std::vector<double> shrinkage(const std::vector<group_settings>& groups,
                                const step_settings& options) const;  // what multiplies each group's, to clip
  double norm_of_group(int group, double scale) const;
  void report_gradients(const sums& all);
  void report_change(const sums& all);

  chunk_list chunks_;
  preparation preparation_;
  step_report report_;
  std::vector<double> group_norms_;  // of the gradients, where groups are clipped by their own
};

}  // namespace gradstep
