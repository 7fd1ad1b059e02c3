#include "runtime.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "grid.h"

namespace gradstep::emulation {
namespace {

constexpr unsigned thread_limit = 1024;
constexpr int device_count = 2;  // that share the host's memory

thread_local cudaError_t last_error = cudaSuccess;
thread_local int device = 0;
int changes = 0;  // of any thread's device
bool capturing = false;
graph captured;
int before_failing = 0, failing = 0;  // allocations to come

cudaError_t outcome(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t enqueue(work next) {
  if (capturing)
    captured.push_back(std::move(next));
  else
    next();
  return cudaSuccess;
}

// What waits, or takes or gives back memory, can be no part of a graph.
cudaError_t outside_of_capture() {
  return outcome(capturing ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}

bool is_to_fail() {
  if (before_failing > 0) return --before_failing, false;
  return failing > 0 && failing-- > 0;
}

cudaError_t allocate(void** memory, size_t bytes) {
  if (capturing) return outside_of_capture();
  if (is_to_fail()) return outcome(cudaErrorMemoryAllocation);
  *memory = bytes ? std::aligned_alloc(256, (bytes + 255) / 256 * 256) : nullptr;
  return outcome(bytes && !*memory ? cudaErrorMemoryAllocation : cudaSuccess);
}

cudaError_t release(void* memory) {
  if (!capturing) std::free(memory);
  return outside_of_capture();
}

}  // namespace

void launch(unsigned blocks, unsigned threads, work kernel) {
  if (blocks == 0 || blocks > 0x7fffffff || threads == 0 || threads > thread_limit) {
    outcome(cudaErrorInvalidConfiguration);
    return;
  }
  enqueue([=] { run_grid(blocks, threads, kernel); });
}

void begin_capture() { capturing = true; }

graph end_capture() {
  capturing = false;
  return std::exchange(captured, {});
}

void fail_allocations(int first, int count) {
  before_failing = first;
  failing = count;
}

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

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
  return enqueue([=] { std::memcpy(to, from, bytes); });
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t) {
  return enqueue([=] { std::memset(memory, value, bytes); });
}

cudaError_t cudaStreamSynchronize(cudaStream_t) { return outside_of_capture(); }

cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
  *status = capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
