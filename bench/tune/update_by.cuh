// An update by packs of one kind, its numbers open: the size of a block's part, threads and blocks.
#pragma once

#include "cuda/launch.h"
#include "cuda/update.cuh"
#include "rules/adam.h"
#include "variant.h"

namespace gradstep::GS_TARGET::tune {

using rule = adam<float>;

template <class Access, int threads, int blocks>
__global__ void __launch_bounds__(threads, blocks)
    update_by_kernel(device_plan_view plan, visited_chunks visited) {
  update_tensors_by<rule, float, Access, threads>(plan, visited);
}

template <class Access, int threads, int blocks, int part>
const char* launch_update_by(const plan& on, cudaStream_t stream) {
  constexpr int32_t parts = int32_t(chunk_elements / part);
  return launch(update_by_kernel<Access, threads, blocks>, unsigned(on.view().chunk_count * parts), threads,
                stream, on.view(), {0, parts});
}

inline std::string numbers_in_words(int threads, int blocks, int part) {
  return std::to_string(blocks) + " x " + std::to_string(threads) + ", part " + std::to_string(part);
}

}  // namespace gradstep::GS_TARGET::tune
