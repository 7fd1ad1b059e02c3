// The kernels before the update: the sums of the gradients, the constants; and the constants with the update
// behind them. In one file, since prepare.cuh has the kernels of both.
#include "cuda/prepare.cuh"

#include <algorithm>

#include "numbers.cuh"
#include "predictions.h"
#include "update_by.cuh"

namespace gradstep::GS_TARGET::tune {

namespace {

template <int in_flight, int blocks>
__global__ void __launch_bounds__(block_threads, blocks)
    sum_gradients_by_kernel(device_plan_view plan, device_step step) {
  sum_gradients_of<in_flight>(plan, step);
}

const char* measure_as_it_is(const plan& on, cudaStream_t stream) {
  return launch(sum_gradients_kernel, unsigned(on.view().chunk_count), block_threads, stream, on.view(),
                on.step());
}

template <int in_flight, int blocks>
const char* launch_measure(const plan& on, cudaStream_t stream) {
  return launch(sum_gradients_by_kernel<in_flight, blocks>, unsigned(on.view().chunk_count), block_threads,
                stream, on.view(), on.step());
}

template <int in_flight, int blocks>
void add_measure(variants& to, const plan& on, const prediction& expected) {
  to.push_back({"norm, " + std::to_string(blocks) + " x 256, " + std::to_string(in_flight) + " in flight",
                on.gradient_bytes(), expected, launch_measure<in_flight, blocks>, measure_as_it_is});
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

}  // namespace

const char* prepare_as_it_is(const plan& on, cudaStream_t stream) {
  return launch(prepare_kernel, unsigned(prepare_blocks(on.view())), block_threads, stream, on.view(),
                on.step(), false);
}

// Of f32 the memory's speed, of bf16 that of the instructions: some 14 for an element.
void add_measures(variants& to, const plan& on) {
  const shares reached =
      on.of().type == dtype::f32 ? shares{{0.85, 1.0}, {0.75, 0.95}} : shares{{0.6, 0.9}, {0.45, 0.8}};
  const double bytes = on.gradient_bytes();
  const prediction expected = predict(bytes, reached, {6, 12});
  to.push_back({"norm as it is", bytes, expected, measure_as_it_is, measure_as_it_is});
  add_measure<8, 3>(to, on, expected);
  add_measure<16, 2>(to, on, expected);
  add_measure<32, 2>(to, on, expected);
  add_measure<32, 3>(to, on, expected);
}

void add_steps(variants& to, const plan& on) {
  const prediction prepared = {prepare_time(on), prepare_time(on)};
  to.push_back({"prepare alone, warm", 0, prepared, prepare_as_it_is, prepare_as_it_is, prepare_as_it_is});
  to.push_back({"prepare alone, after 4 GB", 0, prepared, prepare_as_it_is, prepare_as_it_is, sweep});
  const shares reached = on.of().type == dtype::f32 ? f32_update : bf16_update;
  to.push_back({"prepare, update as it is", on.update_bytes(),
                predict(on.update_bytes(), reached, range{4, 10} + prepare_time(on)), one_after_the_other,
                one_after_the_other});
}

}  // namespace gradstep::GS_TARGET::tune
