// The step of tensors on a device, once their arrays have been read: tables in its memory, and a few launches
// for each step, none of which waits for the device.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "plan/device_tables.h"
#include "plan/report.h"
#include "plan/settings.h"
#include "plan/tensor.h"

namespace gradstep {

class device_plan {
 public:
  device_plan(tensor_list& tensors, const engine& of, int device) : tensors_(tensors), engine_(of, device) {}
  device_plan(const device_plan&) = delete;  // its parts hold on to each other
  ~device_plan();                            // waits: a step in flight uses its memory

  const device_engine& on() const { return engine_; }

  // A step's work goes to a stream, as one turn.
  class turn {
   public:
    turn(device_plan& of, void* stream) : here_(of.engine_), turn_(of.sender_, stream) {}

   private:
    const selected_device here_;
    const device_turn turn_;
  };
  bool is_capturing() const { return sender_.is_capturing(); }  // in a turn

  // In a turn. Allocates all memory that the step needs, before anything is written or counted.
  device_tables& prepare(const std::vector<group_settings>& groups, const step_settings& options);
  // Launches the step, once it is counted.
  void launch(device_tables& tables, const std::vector<group_settings>& groups, const step_settings& options);

  // The answer as far as it is known without waiting.
  bool skipped() const { return last_.skip; }
  // Sets the count of updates that schedules follow, and the norm that clips the next gradients where they
  // are clipped by the last ones'.
  void start_from(int64_t updates, double last_norm);

  // The last step's report, and the counts. These calls wait for the stream.
  step_report report(void* stream);
  int64_t updates(void* stream) { return fetch_report(stream).updates; }
  double last_norm(void* stream) { return fetch_report(stream).last_norm; }
  // The tensors that have states and no update yet, because all steps were skipped. There are none once a
  // graph is captured, since it needs the states.
  std::vector<int> not_updated(void* stream);

 private:
  void launch_kernels(device_tables& tables, const std::vector<group_settings>& groups,
                      const step_settings& options);
  // Makes one report of this step and of those ahead of it, each of one tensor, since the last call.
  void prepare_joining();
  void join_reports(const device_tables& tables);
  void upload_clocks();
  device_plan_view view(const device_tables& tables) const;
  void send_report();
  device_report fetch_report(void* stream);
  void fetch(void* to, const void* from, size_t bytes, void* stream);

  tensor_list& tensors_;
  device_engine engine_;
  device_sender sender_{engine_};
  device_tables tables_{sender_};
  std::map<int, device_tables> tables_of_one_;  // for steps that are ahead
  std::vector<int32_t> joined_tensors_;         // whose sums are
  device_table joined_;                         // the same, on the device
  device_memory<memory_kind::on_device> clocks_, report_, joining_;
  device_report first_ = {};  // to be sent
  bool started_ = false;      // it has been
  bool captured_ = false;     // a step is in a graph
  step_settings last_;
};

[[noreturn]] void refuse_to_capture();  // a step that needs memory

}  // namespace gradstep
