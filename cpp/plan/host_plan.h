// The step of tensors in the host's memory, once their arrays have been read. All tensors are updated in one
// parallel region.
#pragma once

#include <vector>

#include "host/chunks.h"
#include "plan/host_updates.h"
#include "plan/report.h"
#include "plan/settings.h"
#include "plan/tensor.h"

namespace gradstep {

// The order of calls for a step: cut, reserve, decide, prepare, write. Between the last two the caller counts
// the step. `reserve` allocates everything, and the calls after it allocate nothing: in the last micro-batch
// of an accumulation, the sums are written before the update that reads them is decided.
class host_plan {
 public:
  explicit host_plan(tensor_list& tensors) : tensors_(tensors) {}

  void cut(int threads);
  void reserve(const std::vector<group_settings>& groups, const step_settings& options);

  // True if an update is to be made. Reads the gradients if that, or their clipping, depends on them.
  bool decide(const std::vector<group_settings>& groups, const step_settings& options);
  // Sets the report of a step that is skipped for another reason.
  void skip() { report_ = {.skipped = true}; }

  // Makes the constants of the update, and the sums that they depend on.
  void prepare(const std::vector<group_settings>& groups, const step_settings& options);
  void write();
  // Takes the report of the update that has been written.
  void take_report(const std::vector<group_settings>& groups, const step_settings& options);

  // Fills the gradients of the groups that ask for it with zeros, where no update does it.
  void zero_gradients() const;

  // The tensors whose lazy rows keep as many updates as the limit allows.
  std::vector<int> full_of_updates() const;
  // Applies the updates that the visited rows of these tensors have missed; `all_rows` says that no other
  // rows lag.
  void cut_rows(const std::vector<int>& indices, int threads);
  void apply_missed(const std::vector<int>& indices, bool all_rows);

  const step_report& report() const { return report_; }

 private:
  void sum_gradients(const std::vector<group_settings>& groups, const step_settings& options);
  // For tensors that are seen as matrices: the passes before the first write, and those after the other
  // tensors.
  void prepare_matrices();
  void finish_matrices();
  double norm_of_group(int group, double scale) const;
  void find_clip_factors(const std::vector<group_settings>& groups, const step_settings& options);
  void make_updates(const std::vector<group_settings>& groups, const step_settings& options);
  void join_reports();  // of the steps since the last call, each of some of the tensors, into one

  tensor_list& tensors_;
  chunk_list chunks_;
  host_updates updates_;
  step_report report_;
  std::vector<double> group_norms_;   // of the gradients, where groups are clipped by their own
  std::vector<double> clip_factors_;  // of the groups
  std::vector<int> zeroed_;           // the tensors whose gradients are filled with zeros
};

}  // namespace gradstep
