#include "cuda/emulation/runtime.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>

#include "cuda/emulation/grid.h"

struct emulated_stream {
  std::deque<gradstep::emulation::work> not_done;
};

struct emulated_event {
  // Counts how often it was recorded, and passed by a stream. Work that waits for it may outlive it.
  struct counts {
    unsigned recorded = 0, passed = 0;
    cudaStream_t on = nullptr;
  };
  std::shared_ptr<counts> of = std::make_shared<counts>();
};

namespace gradstep::emulation {
namespace {

constexpr unsigned thread_limit = 1024;
constexpr int device_count = 2;  // that share the host's memory

// Tells for each call to come whether it fails.
struct failing_calls {
  int before = 0, count = 0;

  bool next() {
    if (before > 0) return --before, false;
    return count > 0 && count-- > 0;
  }
};

thread_local cudaError_t last_error = cudaSuccess;
thread_local int device = 0;
thread_local cudaStreamCaptureMode capture_mode = cudaStreamCaptureModeGlobal;
int changes = 0;  // of any thread's device
bool capturing = false, capture_is_valid = true;
graph captured;
failing_calls failing_allocations, failing_launches;
std::map<int, emulated_stream> streams;  // by number
int current = 0;
bool lagging = false;
int in_flight = 0;               // frees of what might still be used,
std::vector<void*> to_be_freed;  // by and by

cudaError_t outcome(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

emulated_stream& stream_at(cudaStream_t stream) { return stream ? *stream : streams[0]; }

void do_next(emulated_stream& stream) {
  const work next = std::move(stream.not_done.front());
  stream.not_done.pop_front();
  next();
}

void catch_up(emulated_stream& stream) {
  while (!stream.not_done.empty()) do_next(stream);
}

bool is_idle() {
  for (const auto& [number, stream] : streams)
    if (!stream.not_done.empty()) return false;
  return true;
}

cudaError_t enqueue(cudaStream_t stream, work next) {
  if (capturing)
    captured.push_back(std::move(next));
  else if (lagging)
    stream_at(stream).not_done.push_back(std::move(next));
  else
    next();
  return cudaSuccess;
}

// A call that waits can't be part of a graph. Neither can one that allocates or frees memory, but a thread
// that has allowed it may do so during another thread's capture.
cudaError_t outside_of_capture() {
  return outcome(capturing ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}

bool breaks_capture() { return capturing && capture_mode != cudaStreamCaptureModeRelaxed; }

cudaError_t allocate(void** memory, size_t bytes) {
  if (breaks_capture()) return outside_of_capture();
  if (failing_allocations.next()) return outcome(cudaErrorMemoryAllocation);
  *memory = bytes ? std::aligned_alloc(256, (bytes + 255) / 256 * 256) : nullptr;
  return outcome(bytes && !*memory ? cudaErrorMemoryAllocation : cudaSuccess);
}

cudaError_t release(void* memory) {
  if (breaks_capture()) {
    capture_is_valid = false;
    return outside_of_capture();
  }
  if (is_idle()) {
    std::free(memory);
  } else {
    ++in_flight;
    to_be_freed.push_back(memory);
  }
  return cudaSuccess;
}

}  // namespace

void launch(unsigned blocks, unsigned threads, cudaStream_t stream, work kernel) {
  if (blocks == 0 || blocks > 0x7fffffff || threads == 0 || threads > thread_limit ||
      failing_launches.next()) {
    outcome(cudaErrorInvalidConfiguration);
    return;
  }
  enqueue(stream, [=] { run_grid(blocks, threads, kernel); });
}

cudaStream_t current_stream() { return current == 0 ? nullptr : &streams[current]; }

void keep_in_graph(void* owner, void (*release)(void*)) {
  captured.push_back([kept = std::shared_ptr<void>(owner, release)] {});
}

void begin_capture() {
  capturing = true;
  capture_is_valid = true;
}

graph end_capture() {
  capturing = false;
  graph found = std::exchange(captured, {});
  if (!capture_is_valid) throw std::runtime_error("operation failed due to a previous error during capture");
  return found;
}

void set_stream(int number) { current = number; }

void set_lagging(bool lags) {
  lagging = lags;
  if (lags) return;
  for (auto each = streams.rbegin(); each != streams.rend(); ++each) catch_up(each->second);
  for (void* memory : std::exchange(to_be_freed, {})) std::free(memory);
}

int freed_in_flight() { return in_flight; }

void fail_allocations(int first, int count) { failing_allocations = {first, count}; }

void fail_launches(int first, int count) { failing_launches = {first, count}; }

int device_changes() { return changes; }

}  // namespace gradstep::emulation

using namespace gradstep::emulation;

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureIsolation:
      return "dependency created on uncaptured work in another stream";
  }
  return "unrecognized error code";
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = device_count;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* number) {
  *number = device;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int number) {
  if (number < 0 || number >= device_count) return outcome(cudaErrorInvalidDevice);
  ++changes;
  device = number;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, size_t bytes) { return allocate(memory, bytes); }
cudaError_t cudaFree(void* memory) { return release(memory); }
cudaError_t cudaMallocHost(void** memory, size_t bytes) { return allocate(memory, bytes); }
cudaError_t cudaFreeHost(void* memory) { return release(memory); }

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  return enqueue(stream, [=] { std::memcpy(to, from, bytes); });
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  return enqueue(stream, [=] { std::memset(memory, value, bytes); });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (!capturing) catch_up(stream_at(stream));
  return outside_of_capture();
}

cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
  *status = capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(capture_mode, *mode);
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new emulated_event;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

// An event recorded in a capture means nothing outside of it.
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (capturing) return outside_of_capture();
  const auto counts = event->of;
  counts->on = stream;
  const unsigned number = ++counts->recorded;
  return enqueue(stream, [=] { counts->passed = std::max(counts->passed, number); });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const auto counts = event->of;
  while (counts->passed < counts->recorded) do_next(stream_at(counts->on));
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (capturing) return outcome(cudaErrorStreamCaptureIsolation);
  const auto counts = event->of;
  const unsigned number = counts->recorded;
  const cudaStream_t other = counts->on;
  return enqueue(stream, [=] {
    while (counts->passed < number) do_next(stream_at(other));
  });
}
