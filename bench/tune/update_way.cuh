// An update by one way alone, its numbers open: packs in flight, parts of a chunk, threads and blocks.
#pragma once

#include "cuda/launch.h"
#include "cuda/update.cuh"
#include "variant.h"
#include "ways.cuh"

namespace gradstep::GS_TARGET::tune {

// The wait for the kernel before, where both are launched to overlap (programmatic dependent launch):
// whatever that kernel writes may be read from here on.
__device__ __forceinline__ void wait_for_previous_kernel() {
#if defined(__CUDACC__)
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// The whole packs of tensors that the way suits. What else there is to do, of tensors of another kind, of the
// few elements behind the last pack and of a step that is skipped, is left to another kernel: beside this
// loop it would cost registers, and the compiler would spill.
template <class Way, int packs, int parts, int threads, bool overlaps = false>
__device__ __forceinline__ void update_by(const device_plan_view& plan) {
  static_assert(chunk_elements / parts % Way::count == 0);
  const device_chunk chunk = plan.chunks[int(blockIdx.x) / parts];
  const int tensor = chunk.tensor;
  const int64_t first = chunk.first + int(blockIdx.x) % parts * (chunk_elements / parts),
                rest = end_of(plan, chunk) - first;
  if (rest <= 0 || !Way::suits(plan, tensor)) return;
  const int64_t end = first + (rest < chunk_elements / parts ? rest : chunk_elements / parts);
  if constexpr (overlaps) wait_for_previous_kernel();
  if (plan.report->skipped) return;
  update_part<typename Way::template some<Way::count>, packs, threads>(plan, tensor, first, end);
}

template <class Way, int packs, int parts, int threads, int blocks>
__global__ void __launch_bounds__(threads, blocks) update_by_kernel(device_plan_view plan) {
  update_by<Way, packs, parts, threads>(plan);
}

// A warp for each tensor: the elements behind the last pack.
template <class Way>
__global__ void __launch_bounds__(warp_size) update_rest_kernel(device_plan_view plan) {
  const int tensor = int(blockIdx.x);
  const int64_t size = plan.tensors[tensor].size;
  if (plan.report->skipped || !Way::suits(plan, tensor)) return;
  update_part<typename Way::template some<1>, 1, warp_size>(plan, tensor, size - size % Way::count, size);
}

template <class Way>
const char* launch_update_of_rest(const plan& on, cudaStream_t stream) {
  for (const int64_t size : on.of().sizes)
    if (size % Way::count != 0)
      return launch(update_rest_kernel<Way>, unsigned(on.view().tensor_count), warp_size, stream, on.view());
  return nullptr;
}

template <class Way, int packs, int parts, int threads, int blocks>
const char* launch_update_by(const plan& on, cudaStream_t stream) {
  if (const char* error = launch(update_by_kernel<Way, packs, parts, threads, blocks>,
                                 unsigned(on.view().chunk_count * parts), threads, stream, on.view()))
    return error;
  return launch_update_of_rest<Way>(on, stream);
}

inline std::string numbers_in_words(int packs, int parts, int threads, int blocks) {
  return std::to_string(blocks) + " x " + std::to_string(threads) + ", chunk " +
         std::to_string(chunk_elements / parts) + ", " + std::to_string(packs) +
         (packs == 1 ? " pack" : " packs");
}

template <class Way, int packs, int parts, int threads, int blocks>
void add_update_by(variants& to, const plan& on, const std::string& name, const prediction& expected) {
  to.push_back({name + ", " + numbers_in_words(packs, parts, threads, blocks), on.update_bytes(), expected,
                launch_update_by<Way, packs, parts, threads, blocks>, update_as_it_is});
}

}  // namespace gradstep::GS_TARGET::tune
