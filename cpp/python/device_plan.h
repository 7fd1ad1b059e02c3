// The plan of an optimizer whose tensors are on a device: tables of them in its memory, and a few launches
// for each step, none of which waits for the device.
#pragma once

#include <pybind11/pybind11.h>

#include <map>
#include <optional>
#include <vector>

#include "python/device.h"
#include "python/device_tables.h"
#include "python/tensors.h"

namespace gradstep {

class device_plan : public tensors {
 public:
  // `engine` is the engine's capsule.
  device_plan(const pybind11::capsule& engine, int device);
  device_plan(const device_plan&) = delete;  // its parts hold on to each other
  ~device_plan();                            // waits: a step that is still on its way uses what it holds

  // As `plan::step`. Whether the device skips the update for what it finds in its own memory is not known
  // here, but of the step before, for which this waits where it may be skipped.
  pybind11::list step(const step_arguments& given, const step_books& books,
                      const earlier_step<device_plan>& before);

  // Nothing lags on a device.
  void catch_up(const std::vector<int>&, const pybind11::object&, int) {}

  // What the last step did; waits for it.
  step_report report();
  bool skipped() const { return last_.skip; }  // as far as is known without waiting

  // The clock of the schedules, and the norm that clips the next gradients where it is the last ones'.
  void start_from(int64_t updates, double last_norm);
  int64_t updates();  // applied so far; waits, as does
  double last_norm();
  // The tensors that have states and no update yet, since all steps were skipped; none once a graph is
  // captured, which needs the states. Waits.
  std::vector<int> not_updated();
  bool is_capturing() const;
  // Of one number on the device; nothing for anything else. A graph that the next step is captured in keeps
  // it alive.
  std::optional<scalar_ref> find_scalar(const pybind11::object& number);

  int traverse(visitproc visit, void* arg) const;
  void clear();

 private:
  pybind11::list read(const step_arguments& given, std::vector<pybind11::object>& keep);
  void update(const device_tables& tables, const step_arguments& given, const step_settings& options,
              const bookkeeping& books);
  // Of this step, and of those that were ahead, each of one tensor, since the last call.
  void prepare_joining();
  void join_reports(const device_tables& tables);
  void* stream() const;
  void forget_count();
  // All memory that the step needs is taken here, before anything is written or counted.
  device_tables& prepare_tables(const std::vector<group_settings>& groups, const step_settings& options);
  void take_up_moments();
  void launch(const device_tables& tables, const std::vector<group_settings>& groups,
              const step_settings& options);
  device_plan_view view(const device_tables& tables) const;
  void send_report();
  device_report fetch_report();
  void fetch(void* to, const void* from, size_t bytes);

  device_engine engine_;
  device_sender sender_{engine_};
  device_tables tables_{sender_};
  std::map<int, device_tables> tables_of_one_;  // for steps that are ahead
  std::vector<int32_t> joined_tensors_;         // whose sums are
  device_table joined_;                         // the same, on the device
  device_memory<memory_kind::on_device> moments_, report_, joining_;
  device_report first_ = {};  // to be sent
  bool started_ = false;      // it has been
  bool captured_ = false;     // a step is in a graph
  bool miscounted_ = false;   // thread blocks that arrived: not all launches of a step have been made
  step_settings last_;
  std::vector<pybind11::object> cells_;     // found for the next step
  std::vector<pybind11::object> in_graph_;  // read by each replay, though others may have taken their places
};

}  // namespace gradstep
