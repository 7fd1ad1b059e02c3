// Lazy rows: the updates that each row of a tensor has missed because sparse gradients left it out. They are
// applied when the row is next used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "host/task.h"

namespace gradstep {

// Invariant: no row has had more updates than there are; where there are none, all rows are up to date.
class lazy_rows {
 public:
  bool lag() const { return !history_.steps.empty(); }  // rows may
  size_t updates() const { return history_.steps.size(); }
  const host_update& last_update() const { return history_.steps.back(); }

  // Keeps the updates from now on, for this number of rows. The task reads them.
  const row_history& follow(int64_t row_count);

  // The rows, among those given or among all, that have missed an update.
  std::vector<int64_t> behind(std::optional<std::span<const int64_t>> among) const;

  void reserve();                              // so that the next `record` can't fail
  void record(const host_update& update);      // that the visited rows have had
  void note_applied(const row_list& visited);  // all updates, to these rows
  void forget();                               // when all rows are up to date

 private:
  row_history history_;
};

}  // namespace gradstep
