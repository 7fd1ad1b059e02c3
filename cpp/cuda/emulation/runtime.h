// The calls of CUDA's runtime that an engine makes. The memory of the devices is the host's. A stream does at
// once what it is told, unless it is being captured, or lags: then what would be done is only noted, for a
// graph or until somebody waits for the stream.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidDevice = 101,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureIsolation = 905,
};
enum cudaMemcpyKind {
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2,
  cudaMemcpyDeviceToDevice = 3,
  cudaMemcpyDefault = 4
};
enum cudaStreamCaptureStatus { cudaStreamCaptureStatusNone, cudaStreamCaptureStatusActive };
enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal = 0, cudaStreamCaptureModeRelaxed = 2 };
using cudaStream_t = struct emulated_stream*;
using cudaEvent_t = struct emulated_event*;
constexpr unsigned cudaEventDisableTiming = 2;

cudaError_t cudaGetLastError();  // of this thread, by whatever call, until it is asked for
const char* cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaMalloc(void** memory, size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMallocHost(void** memory, size_t bytes);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status);
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);

namespace gradstep::emulation {

using work = std::function<void()>;
using graph = std::vector<work>;

// Runs a kernel whose arguments are bound; a refusal is found by cudaGetLastError.
void launch(unsigned blocks, unsigned threads, cudaStream_t stream, work kernel);

cudaStream_t current_stream();
// The graph that is being captured calls release(owner) at its end.
void keep_in_graph(void* owner, void (*release)(void*));

// For tests. All streams are captured together; throws where a call has made the capture invalid.
void begin_capture();
graph end_capture();
// Makes a stream the current one; 0 is the null stream.
void set_stream(int number);
// Lets streams lag, or no longer: then the work that they still have is done, the last stream first.
void set_lagging(bool lagging);
// Returns the number of times that memory was given back while a lagging stream might still use it.
int freed_in_flight();
// Of the launches to come, those of the numbers [first, first + count) are refused.
void fail_launches(int first, int count);
// Of the allocations to come, those of the numbers [first, first + count) find no memory.
void fail_allocations(int first, int count);
// Returns the number of times that any thread was given a device, even the one that it had.
int device_changes();
// Blocks and threads in falling order, which must not change what a kernel computes.
void set_backwards(bool backwards);

}  // namespace gradstep::emulation
