// A tensor of a plan, and the list of those that step.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "plan/lazy_rows.h"
#include "plan/settings.h"
#include "plan/tensor_layout.h"
#include "plan/tensor_time.h"
#include "step/sums.h"

namespace gradstep {

// The sums of a tensor's last update, for reports that join several steps.
struct tensor_report {
  std::optional<sums> released;  // until they are joined with the others'
  bool on_device = false;        // a device keeps them
};

struct tensor {
  tensor_layout layout;
  tensor_time time;
  lazy_rows lazy;
  tensor_report report;
  double reductions[2] = {};  // the rule's sums for this update, over this tensor or over all
  int64_t moved_at = 0;       // the plan's move that brought it to where it lies
};

// The tensors that have a gradient in a step, their groups, and the number of the move that last changed the
// place of each.
struct active_tensors {
  std::vector<int> indices, groups;
  std::vector<int64_t> moves;

  void clear() {
    indices.clear();
    groups.clear();
    moves.clear();
  }
  void add(int index, int group, int64_t moved_at) {
    indices.push_back(index);
    groups.push_back(group);
    moves.push_back(moved_at);
  }
  bool operator==(const active_tensors&) const = default;
};

// All tensors of a plan. Their addresses do not change, since tasks point to them.
struct tensor_list {
  std::deque<tensor> all;
  active_tensors active;
  std::vector<tensor_task*> tasks;  // of the active ones

  tensor& operator[](int index) { return all[size_t(index)]; }
  const tensor& operator[](int index) const { return all[size_t(index)]; }

  void start_step();
  void activate(int index, int group);
  void invalidate(tensor& which);  // it lies elsewhere than before

  // The active tensors whose gradients are filled with zeros.
  std::vector<int> zeroed(const std::vector<group_settings>& groups) const;

  // Whether other tensors step than the last time, or from other addresses.
  bool changed() const { return moved || active.indices != committed; }
  void commit_layout();  // what follows from them has been made

  bool moved = true;           // a tensor, since the last `settle`
  std::vector<int> committed;  // that stepped then

 private:
  int64_t moves_ = 0;
};

}  // namespace gradstep
