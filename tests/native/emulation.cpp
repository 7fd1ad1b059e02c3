// Kernels whose results are known, run by the emulated device; the argument says which.
#include "cuda/launch.h"

#include <cstdio>
#include <string>
#include <vector>

using namespace gradstep;
using emulated::launch;

namespace {

constexpr int threads = 96, blocks = 5;

// Each block's numbers, folded by halves in each warp and then over the warps; the last block adds the
// blocks.
__global__ void add_up(const double* numbers, double* of_blocks, unsigned* arrived, double* total) {
  __shared__ double of_warps[threads / warpSize];
  __shared__ bool last;
  double x = numbers[blockIdx.x * blockDim.x + threadIdx.x];
  for (int half = warpSize / 2; half > 0; half /= 2) x += __shfl_down_sync(~0u, x, unsigned(half));
  if (threadIdx.x % warpSize == 0) of_warps[threadIdx.x / warpSize] = x;
  __syncthreads();
  if (threadIdx.x == 0) {
    of_blocks[blockIdx.x] = of_warps[0] + of_warps[1] + of_warps[2];
    __threadfence();
    last = atomicAdd(arrived, 1u) == gridDim.x - 1;
  }
  __syncthreads();
  if (!last || threadIdx.x != 0) return;
  *total = 0;
  for (unsigned i = 0; i < gridDim.x; ++i) *total += of_blocks[i];
  *arrived = 0;
}

// Writes what each lane is given by the shuffles, and its neighbour's number through shared memory.
__global__ void exchange(float* down, int* crossed, int* first, int* neighbour) {
  __shared__ int mine[threads];
  const int i = int(threadIdx.x);
  mine[i] = i;
  down[i] = __shfl_down_sync(~0u, float(i), 4, 8);
  crossed[i] = __shfl_xor_sync(~0u, i, 5);
  first[i] = __shfl_sync(~0u, i, 0, 16);
  __syncthreads();
  neighbour[i] = mine[(i + 1) % threads];
}

__global__ void leave_a_barrier_out() {
  if (threadIdx.x != 7) __syncthreads();
}
__global__ void meet_apart() {
  if (threadIdx.x < 48)
    __syncthreads();
  else
    __syncthreads();
}
__global__ void diverge() {
  if (threadIdx.x % 2) __shfl_xor_sync(~0u, 1.0, 1);
}
__global__ void half_a_warp() { __shfl_xor_sync(0xffff, 1.0, 1); }

int check_sums() {
  std::vector<double> numbers(threads * blocks), of_blocks(blocks);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = double(i * i);
  double total = 0;
  unsigned arrived = 0;
  launch(add_up, blocks, threads, nullptr, numbers.data(), of_blocks.data(), &arrived, &total);
  const double n = threads * blocks;
  return total == (n - 1) * n * (2 * n - 1) / 6 && arrived == 0 && of_blocks[0] == 95.0 * 96 * 191 / 6;
}

int check_shuffles() {
  std::vector<float> down(threads);
  std::vector<int> crossed(threads), first(threads), neighbour(threads);
  launch(exchange, 1, threads, nullptr, down.data(), crossed.data(), first.data(), neighbour.data());
  for (int i = 0; i < threads; ++i)
    if (down[i] != float(i % 8 < 4 ? i + 4 : i) || crossed[i] != (i ^ 5) || first[i] != i / 16 * 16 ||
        neighbour[i] != (i + 1) % threads)
      return false;
  return true;
}

__global__ void add_one(int* number) { ++*number; }

int check_capture() {
  int number = 0, zero = 0;
  void* memory = nullptr;
  emulation::begin_capture();
  cudaStreamCaptureStatus status;
  cudaStreamIsCapturing(nullptr, &status);
  launch(add_one, 1, 1, nullptr, &number);
  cudaMemcpyAsync(&zero, &number, sizeof number, cudaMemcpyDefault, nullptr);
  const bool refused = cudaMalloc(&memory, 8) == cudaErrorStreamCaptureUnsupported &&
                       cudaStreamSynchronize(nullptr) == cudaErrorStreamCaptureUnsupported;
  const emulation::graph steps = emulation::end_capture();
  const bool untouched = number == 0 && status == cudaStreamCaptureStatusActive;
  for (int replay = 0; replay < 3; ++replay)
    for (const auto& step : steps) step();
  cudaStreamIsCapturing(nullptr, &status);
  return refused && untouched && number == 3 && zero == 3 && status == cudaStreamCaptureStatusNone;
}

int check_refusals() {
  int number = 0;
  const char* const none = launch(add_one, 0, 1, nullptr, &number);
  const char* const many = launch(add_one, 1, 1025, nullptr, &number);
  return none && std::string(none) == many && number == 0 && !launch(add_one, 1, 1024, nullptr, &number) &&
         number == 1024;
}

int run(const std::string& name) {
  if (name == "sums") return check_sums();
  if (name == "backwards") return emulation::set_backwards(true), check_sums() && check_shuffles();
  if (name == "shuffles") return check_shuffles();
  if (name == "capture") return check_capture();
  if (name == "refusals") return check_refusals();
  if (name == "missing barrier") launch(leave_a_barrier_out, 2, threads, nullptr);
  if (name == "two barriers") launch(meet_apart, 1, threads, nullptr);
  if (name == "divergence") launch(diverge, 1, threads, nullptr);
  if (name == "mask") launch(half_a_warp, 1, threads, nullptr);
  return false;
}

}  // namespace

int main(int, char** arguments) { return run(arguments[1]) ? 0 : 1; }
