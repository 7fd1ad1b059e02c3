// The functions of a device engine, as plain pointers: the only things that cross between the core and
// the module that nvcc has compiled. Each returns null, or the text of an error.
#pragma once

#include <cstddef>

#include "device/table.h"

namespace gradstep {

constexpr int engine_version = 9;
constexpr const char* engine_capsule = "gradstep.engine";

// A launch of one rule: the chunks [first, last) of tensors that have this rule and the same arithmetic
// type.
struct device_launch {
  int32_t rule;
  arithmetic type;
  int32_t first_chunk, last_chunk;
  int32_t first_matrix, last_matrix, first_band, last_band;  // the same tensors, where the rule sees matrices
  int32_t parts;                                             // that a chunk is cut into for its update
  uint32_t reaches;  // how its tensors are reached in this step: a bit for each
};
constexpr uint32_t all_reaches = (1u << reach_count) - 1;

// The arrays of the bandwidth test: each is `packs` packs of 16 bytes, aligned to 16 bytes.
struct rewritten_arrays {
  char* written[3];
  const char* read;
  int64_t packs;
};

struct engine {
  int version;
  const char* name;
  int device_type;  // DLPack's, of the arrays that it steps: 2 for CUDA; 1 where the host stands in for a
                    // device
  int device_count;
  const char* out_of_memory;  // the text of an allocation that finds none left

  const char* (*select)(int device, int* before);               // for this thread; tells which it was before
  const char* (*allocate)(void** memory, size_t bytes);         // on the selected device
  const char* (*release)(void* memory);                         // once nothing on the device uses it any more
  const char* (*allocate_pinned)(void** memory, size_t bytes);  // of the host, for `send`
  const char* (*release_pinned)(void* memory);
  // Copies in the stream's order. Pinned memory must stay unchanged until the stream has reached the copy.
  const char* (*send)(void* to, const void* from, size_t bytes, void* stream);
  const char* (*fetch)(void* to, const void* from, size_t bytes, void* stream);  // and waits
  const char* (*wait)(void* stream);
  const char* (*is_capturing)(bool* answer, void* stream);
  // Makes the graph that is being captured from the stream keep the owner. After the graph and everything
  // instantiated from it are destroyed, `release` is called with the owner, on any thread; it must not call
  // the device.
  const char* (*keep_in_graph)(void* stream, void* owner, void (*release)(void* owner));
  // The stream for steps over arrays whose library has no current stream; null where the library has one.
  void* (*current_stream)();

  // Records an event in a stream's order. The host or another stream can wait until the stream has reached
  // it.
  const char* (*make_event)(void** event);  // of the selected device
  const char* (*drop_event)(void* event);
  const char* (*record)(void* event, void* stream);
  const char* (*wait_for_event)(void* event);
  const char* (*hold_up)(void* stream, void* event);  // all that the stream is told from now on

  // Forms the gradients' sums: of each tensor, each group and all.
  const char* (*sum_gradients)(const device_plan_view& plan, const device_step& step, void* stream);
  // Makes the constants of each tensor's update. With `before_measuring` the rules' sums count as 0, and
  // nothing is advanced.
  const char* (*prepare)(const device_plan_view& plan, const device_step& step, bool before_measuring,
                         void* stream);
  // Forms the sums that a rule asks for.
  const char* (*measure_rule)(const device_plan_view& plan, const device_launch& launch, void* stream);
  const char* (*update)(const device_plan_view& plan, const device_step& step, const device_launch& launch,
                        void* stream);
  // Standalone operations: gradients transformed or filled with zeros; averages and copies of parameters.
  const char* (*transform_gradients)(const device_plan_view& plan, const gradient_transform& stage,
                                     void* stream);
  const char* (*zero_gradients)(const device_plan_view& plan, void* stream);
  const char* (*follow_parameters)(const device_plan_view& plan, double weight, void* stream);
  // Joins the reports of the last updates of these tensors into one.
  const char* (*join_reports)(const device_plan_view& plan, const int32_t* tensors, int count, bool lagged,
                              void* stream);
  // Moves the bytes of an Adam update and changes none: the bandwidth of the memory.
  const char* (*rewrite)(const rewritten_arrays& arrays, void* stream);
};

}  // namespace gradstep
