// The step of tensors in the host's memory, once their arrays have been read: over all of them in one
// parallel region.
#pragma once

#include <vector>

#include "host/chunks.h"
#include "plan/host_updates.h"
#include "plan/report.h"
#include "plan/settings.h"
#include "plan/tensor.h"

namespace gradstep {

// A step is cut, reserved, decided, prepared and written, in this order; between the last two its caller
// counts it. Everything that it needs is allocated by `reserve`, and what follows allocates nothing: in the
// last micro-batch of an accumulation the sums are written before the step that reads them is decided.
class host_plan {
 public:
  explicit host_plan(tensor_list& tensors) : tensors_(tensors) {}

  void cut(int threads);
  void reserve(const std::vector<group_settings>& groups, const step_settings& options);

  // Whether to make an update. Measures the gradients where that depends on them, or their clipping does.
  bool decide(const std::vector<group_settings>& groups, const step_settings& options);
  // The report of a step that something else decides to skip.
  void skip() { report_ = {.skipped = true}; }

  // The constants of the update, and the sums that they depend on.
  void prepare(const std::vector<group_settings>& groups, const step_settings& options);
  void write();
  // Of the update that has been made.
  void take_report(const std::vector<group_settings>& groups, const step_settings& options);

  // Fills the gradients with zeros whose groups ask for it, where no update does it.
  void zero_gradients() const;

  // The tensors that keep as many updates for lazy rows as may be kept.
  std::vector<int> full_of_updates() const;
  // Applies what the visited rows of these tensors have missed; `all_rows` says that these are all that lag.
  void cut_rows(const std::vector<int>& indices, int threads);
  void apply_missed(const std::vector<int>& indices, bool all_rows);

  const step_report& report() const { return report_; }

 private:
  void sum_gradients(const std::vector<group_settings>& groups, const step_settings& options);
  // Of tensors that are seen as matrices: all that comes before the first write, and after the other tensors.
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
