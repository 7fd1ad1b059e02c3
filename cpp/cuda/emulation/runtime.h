// The calls of CUDA's runtime that an engine makes. The memory of the one device is the host's. A stream does
// at once what it is told, unless it is being captured: then what would be done is only noted, for a graph.
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
};
enum cudaMemcpyKind {
  cudaMemcpyHostToDevice = 1,
  cudaMemcpyDeviceToHost = 2,
  cudaMemcpyDeviceToDevice = 3,
  cudaMemcpyDefault = 4
};
enum cudaStreamCaptureStatus { cudaStreamCaptureStatusNone, cudaStreamCaptureStatusActive };
using cudaStream_t = struct emulated_stream*;

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

namespace gradstep::emulation {

using work = std::function<void()>;
using graph = std::vector<work>;

// Runs a kernel whose arguments are bound; a refusal is found by cudaGetLastError.
void launch(unsigned blocks, unsigned threads, work kernel);

// For tests. All streams are captured together.
void begin_capture();
graph end_capture();
// Of the allocations to come, those of the numbers [first, first + count) find no memory.
void fail_allocations(int first, int count);
// How often any thread has been given another device than it had, or the same again.
int device_changes();
// Blocks and threads in falling order, which must not change what a kernel computes.
void set_backwards(bool backwards);

}  // namespace gradstep::emulation
