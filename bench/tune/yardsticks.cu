// Yardsticks of the memory: a copy, and a stream that reads four arrays and writes three.
#include "predictions.h"
#include "update_way.cuh"

namespace gradstep::GS_TARGET::tune {

namespace {

// p, m and v plus `nothing` times g, in f32: the same bits again, which the compiler cannot know.
template <class Access, int packs, int parts, int blocks>
__global__ void __launch_bounds__(block_threads, blocks)
    stream_kernel(device_array p, device_array g, device_array m, device_array v, int64_t count,
                  float nothing) {
  using values = typename Access::values;
  struct some {
    values p, g, m, v;
  };
  constexpr int64_t part = chunk_elements / parts;
  const int64_t first = int64_t(blockIdx.x) * part, end = count - first < part ? count : first + part;
  const auto load = [&](int64_t i) {
    return some{Access::load(p, nullptr, i), Access::load(g, nullptr, i), Access::load(m, nullptr, i),
                Access::load(v, nullptr, i)};
  };
  const auto change = [&](some& x, int64_t i) {
    GS_UNROLL
    for (int k = 0; k < Access::count; ++k) {
      x.p.x[k] = fma(nothing, x.g.x[k], x.p.x[k]);
      x.m.x[k] = fma(nothing, x.g.x[k], x.m.x[k]);
      x.v.x[k] = fma(nothing, x.g.x[k], x.v.x[k]);
    }
    Access::store(p, nullptr, i, x.p);
    Access::store(m, nullptr, i, x.m);
    Access::store(v, nullptr, i, x.v);
  };
  visit_block<Access::count, packs>(first, end, load, change);
}

template <class Access, int packs, int parts, int blocks>
const char* launch_stream(const plan& on, cudaStream_t stream) {
  device_array arrays[plan::arrays] = {};
  for (int k = 0; k < plan::arrays; ++k) arrays[k].data = on.array(k).data();
  const int64_t count = int64_t(on.array(0).size() / sizeof(float)), part = chunk_elements / parts;
  return launch(stream_kernel<Access, packs, parts, blocks>, unsigned((count + part - 1) / part),
                block_threads, stream, arrays[0], arrays[1], arrays[2], arrays[3], count, 0.0f);
}

template <class Access, int packs, int parts, int blocks>
void add_stream(variants& to, const plan& on, const std::string& name) {
  to.push_back({name + ", " + numbers_in_words(packs, parts, block_threads, blocks), on.update_bytes(),
                predict(on.update_bytes(), full_speed, {0, 0}), launch_stream<Access, packs, parts, blocks>});
}

const char* copy(const plan& on, cudaStream_t stream) {
  return failure(cudaMemcpyAsync(on.copy_target().data(), on.copy_source().data(), on.copy_source().size(),
                                 cudaMemcpyDeviceToDevice, stream));
}

}  // namespace

const char* update_as_it_is(const plan& on, cudaStream_t stream) {
  return launch(update_kernel<rule, float>, unsigned(on.view().chunk_count), block_threads, stream, on.view(),
                0);
}

void add_yardsticks(variants& to, const plan& on) {
  const double copied = 2.0 * double(on.copy_source().size());
  to.push_back({"copy of as many bytes", copied, predict(on.update_bytes(), {{1, 1}, {1, 1}}, {0, 0}), copy});
  to.back().times = on.update_bytes() / copied;
  using plain = native_access<float, 4>;
  add_stream<plain, 1, 4, 4>(to, on, "bare stream");
  add_stream<plain, 2, 4, 4>(to, on, "bare stream");
  add_stream<streamed_access<4>, 1, 4, 4>(to, on, "bare stream, .cs");
  add_stream<streamed_access<4>, 2, 4, 4>(to, on, "bare stream, .cs");
  const prediction expected =
      predict(on.update_bytes(), on.of().type == dtype::f32 ? f32_as_it_is : bf16_as_it_is,
              on.of().sizes.size() > 256 ? range{15, 18} : tail(1));
  to.push_back({"update as it is", on.update_bytes(), expected, update_as_it_is, update_as_it_is});
  to.push_back({"update as it is, again", on.update_bytes(), expected, update_as_it_is, update_as_it_is});
}

}  // namespace gradstep::GS_TARGET::tune
