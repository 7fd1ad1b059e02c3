// Yardsticks of the memory: a copy, and a kernel that reads four arrays and writes three.
#include "cuda/bandwidth.cuh"
#include "predictions.h"
#include "update_by.cuh"

namespace gradstep::GS_TARGET::tune {

namespace {

const char* copy(const plan& on, cudaStream_t stream) {
  return failure(cudaMemcpyAsync(on.copy_target().data(), on.copy_source().data(), on.copy_source().size(),
                                 cudaMemcpyDeviceToDevice, stream));
}

const char* rewrite(const plan& on, cudaStream_t stream) {
  const rewritten_arrays arrays = {{on.array(0).data(), on.array(2).data(), on.array(3).data()},
                                   on.array(1).data(),
                                   int64_t(on.array(0).size() / sizeof(memory_pack))};
  const auto blocks = unsigned((arrays.packs + block_threads - 1) / block_threads);
  return launch(rewrite_kernel, blocks, block_threads, stream, arrays, 0u);
}

}  // namespace

template <reach by>
const char* update_by_reach(const plan& on, cudaStream_t stream) {
  return launch(update_kernel<rule, float, by>, unsigned(on.view().chunk_count * most_parts),
                update_threads<by>, stream, on.view(), {0, most_parts});
}

const char* update_as_it_is(const plan& on, cudaStream_t stream) {
  return on.of().type == dtype::f32 ? update_by_reach<reach::native>(on, stream)
                                    : update_by_reach<reach::stored>(on, stream);
}

void add_yardsticks(variants& to, const plan& on) {
  const double copied = 2.0 * double(on.copy_source().size());
  to.push_back({"copy of as many bytes", copied, predict(on.update_bytes(), {{1, 1}, {1, 1}}, {0, 0}), copy});
  to.back().times = on.update_bytes() / copied;
  to.push_back({"bare stream", on.update_bytes(), predict(on.update_bytes(), full_speed, {0, 0}), rewrite});
  const prediction expected =
      predict(on.update_bytes(), on.of().type == dtype::f32 ? f32_update : bf16_update, {2, 6});
  to.push_back({"update as it is", on.update_bytes(), expected, update_as_it_is, update_as_it_is});
  to.push_back({"update as it is, again", on.update_bytes(), expected, update_as_it_is, update_as_it_is});
}

}  // namespace gradstep::GS_TARGET::tune
