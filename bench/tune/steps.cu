// The kernels before the update: the sums of the gradients with more loads in flight; the constants, alone
// and with the update behind them, one after the other and overlapping. In one file, since prepare.cuh has
// the kernels of both.
#include "cuda/prepare.cuh"

#include <algorithm>

#include "numbers.cuh"
#include "predictions.h"
#include "update_way.cuh"

namespace gradstep::GS_TARGET::tune {

namespace {

template <int in_flight>
__global__ void __launch_bounds__(block_threads, blocks_per_processor)
    measure_gradients_by_kernel(device_plan_view plan, device_step step) {
  measure_gradients_of<in_flight>(plan, step);
}

const char* measure_as_it_is(const plan& on, cudaStream_t stream) {
  return launch(measure_gradients_kernel, unsigned(on.view().chunk_count), block_threads, stream, on.view(),
                on.step());
}

template <int in_flight>
const char* launch_measure(const plan& on, cudaStream_t stream) {
  return launch(measure_gradients_by_kernel<in_flight>, unsigned(on.view().chunk_count), block_threads,
                stream, on.view(), on.step());
}

// Lets the next kernel's blocks begin at once, up to where they wait for this one.
__global__ void __launch_bounds__(block_threads, 1)
    prepare_and_overlap_kernel(device_plan_view plan, device_step step) {
#if defined(__CUDACC__)
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
  prepare_step(plan, step, false);
}

template <class Way, int packs, int parts, int blocks>
__global__ void __launch_bounds__(block_threads, blocks) overlapping_update_kernel(device_plan_view plan) {
  update_by<Way, packs, parts, block_threads, true>(plan);
}

// A kernel that may begin before the one before it has ended.
const char* launch_overlapping(void (*kernel)(device_plan_view), unsigned blocks, unsigned threads,
                               cudaStream_t stream, const device_plan_view& view) {
#if defined(__CUDACC__)
  cudaLaunchAttribute overlaps = {};
  overlaps.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlaps.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t how = {};
  how.gridDim = blocks;
  how.blockDim = threads;
  how.stream = stream;
  how.attrs = &overlaps;
  how.numAttrs = 1;
  return failure(cudaLaunchKernelEx(&how, kernel, view));
#else
  return launch(kernel, blocks, threads, stream, view);
#endif
}

// Reads 4 GB, so that no cache holds a table any more.
const char* sweep(const plan& on, cudaStream_t stream) {
  constexpr int64_t bytes_wanted = int64_t(4) << 30;
  for (int64_t bytes = 0; bytes < bytes_wanted;) {
    for (int k = 0; k < plan::arrays && bytes < bytes_wanted; ++k) {
      const int64_t read = std::min(int64_t(on.array(k).size()), bytes_wanted - bytes);
      auto* const digest = reinterpret_cast<unsigned*>(on.copy_target().data());
      if (const char* error = add_digest(on.array(k).data(), read, digest, stream)) return error;
      bytes += read;
    }
  }
  return nullptr;
}

const char* one_after_the_other(const plan& on, cudaStream_t stream) {
  if (const char* error = prepare_as_it_is(on, stream)) return error;
  return update_as_it_is(on, stream);
}

constexpr int parts = 4;

template <class Way, int packs, int blocks>
const char* by_one_way(const plan& on, cudaStream_t stream) {
  if (const char* error = prepare_as_it_is(on, stream)) return error;
  return launch_update_by<Way, packs, parts, block_threads, blocks>(on, stream);
}

template <class Way, int packs, int blocks>
const char* overlapping(const plan& on, cudaStream_t stream) {
  if (const char* error = launch(prepare_and_overlap_kernel, 1, block_threads, stream, on.view(), on.step()))
    return error;
  if (const char* error =
          launch_overlapping(overlapping_update_kernel<Way, packs, parts, blocks>,
                             unsigned(on.view().chunk_count * parts), block_threads, stream, on.view()))
    return error;
  return launch_update_of_rest<Way>(on, stream);
}

template <class Way, int packs, int blocks>
void add_pairs(variants& to, const plan& on, const shares& as_it_is, const shares& by_way) {
  const double bytes = on.update_bytes();
  const range before = prepare_time(on, false) + launch_gap;
  const prediction alone = predict(bytes, by_way, tail(parts)) + before;
  to.push_back({"prepare, update as it is", bytes, predict(bytes, as_it_is, tail(1)) + before,
                one_after_the_other, one_after_the_other});
  const std::string words = numbers_in_words(packs, parts, block_threads, blocks);
  to.push_back(
      {"prepare, one way, " + words, bytes, alone, by_one_way<Way, packs, blocks>, one_after_the_other});
  to.push_back({"prepare, one way, overlapping", bytes, alone + range{-4, -2},
                overlapping<Way, packs, blocks>, one_after_the_other});
}

}  // namespace

const char* prepare_as_it_is(const plan& on, cudaStream_t stream) {
  return launch(prepare_kernel, 1, block_threads, stream, on.view(), on.step(), false);
}

// 32 bytes in flight for each thread are 24.6 KB per 1.07 us on a processor. Then one block adds what others
// found.
void add_measures(variants& to, const plan& on) {
  const range last_block = on.of().sizes.size() > 256 ? range{150, 450} : range{40, 100};
  const double bytes = on.gradient_bytes();
  const shares by_8 = {{0.90, 1.0}, {0.65, 0.75}}, by_16 = {{0.95, 1.0}, {0.90, 1.0}};
  to.push_back(
      {"norm as it is, <1, 8>", bytes, predict(bytes, by_8, last_block), measure_as_it_is, measure_as_it_is});
  to.push_back(
      {"norm, <1, 16>", bytes, predict(bytes, by_16, last_block), launch_measure<16>, measure_as_it_is});
}

void add_steps(variants& to, const plan& on) {
  const auto alone = [&](bool warm) { return prediction{prepare_time(on, warm), prepare_time(on, warm)}; };
  to.push_back({"prepare alone, warm", 0, alone(true), prepare_as_it_is, prepare_as_it_is, prepare_as_it_is});
  to.push_back({"prepare alone, after 4 GB", 0, alone(false), prepare_as_it_is, prepare_as_it_is, sweep});
  if (on.of().type == dtype::f32)
    add_pairs<native_way, 2, 4>(to, on, f32_as_it_is, f32_one_way);
  else
    add_pairs<bf16_way<by_hardware>, 1, 3>(to, on, bf16_as_it_is, bf16_by_hardware);
}

}  // namespace gradstep::GS_TARGET::tune
