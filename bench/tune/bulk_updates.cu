// Arrays of f32 by the copy engine: a block loads tiles of all arrays into shared memory, two ahead, changes
// them there and sends them back.
#include "bulk_copy.cuh"
#include "predictions.h"
#include "update_way.cuh"

namespace gradstep::GS_TARGET::tune {

namespace {

constexpr int threads = 128, blocks = 8, stages = 3;
constexpr int tile_elements = threads * native_way::count;

using some = native_way::some<native_way::count>;
using values = some::values;

struct alignas(128) tile {
  values of_thread[threads];
};
struct stage {
  tile parameter, gradient, states[rule::states];
};

// The tiles of one block's part of a tensor. All but `change` is for one thread.
struct tiles {
  const some::update& on;
  const int64_t first, end;
  stage* const held;
  arrivals* const filled;

  __device__ int count() const { return int((end - first + tile_elements - 1) / tile_elements); }
  __device__ int64_t place(int k) const { return first + int64_t(k) * tile_elements; }
  __device__ unsigned bytes(int k) const {
    const int64_t left = end - place(k);
    return unsigned((left < tile_elements ? left : tile_elements) * int64_t(sizeof(float)));
  }

  __device__ void load(int k) const {
    if (k >= count()) return;
    stage& to = held[k % stages];
    arrivals& told = filled[k % stages];
    const unsigned size = bytes(k);
    const auto load_one = [&](tile& here, const device_array& array) {
      copy_in(&here, array.data + place(k) * int64_t(sizeof(float)), size, told);
    };
    told.expect((2 + rule::states) * size);
    load_one(to.parameter, on.arrays.parameter);
    load_one(to.gradient, on.arrays.gradient);
    GS_UNROLL
    for (int state = 0; state < rule::states; ++state) load_one(to.states[state], on.arrays.states[state]);
  }

  __device__ void store(int k) const {
    const stage& from = held[k % stages];
    const auto store_one = [&](const device_array& array, const tile& here) {
      copy_out(array.data + place(k) * int64_t(sizeof(float)), &here, bytes(k));
    };
    store_one(on.arrays.parameter, from.parameter);
    GS_UNROLL
    for (int state = 0; state < rule::states; ++state) store_one(on.arrays.states[state], from.states[state]);
    end_group();
  }

  __device__ void change(int k) const {
    stage& here = held[k % stages];
    const int i = int(threadIdx.x);
    some x = {};
    x.bits.p = here.parameter.of_thread[i];
    x.bits.g = here.gradient.of_thread[i];
    GS_UNROLL
    for (int state = 0; state < rule::states; ++state) x.bits.s[state] = here.states[state].of_thread[i];
    x.decode(on);
    x.apply(on);
    here.parameter.of_thread[i] = x.now.p;
    GS_UNROLL
    for (int state = 0; state < rule::states; ++state) here.states[state].of_thread[i] = x.now.s[state];
  }
};

// Of tensors with neither an average nor a copy, whose gradients stay.
template <int parts>
__global__ void __launch_bounds__(threads, blocks) bulk_update_kernel(device_plan_view plan) {
  __shared__ stage held[stages];
  __shared__ arrivals filled[stages];
  const device_chunk chunk = plan.chunks[int(blockIdx.x) / parts];
  const int tensor = chunk.tensor;
  const int64_t first = chunk.first + int(blockIdx.x) % parts * (chunk_elements / parts);
  const int64_t rest = end_of(plan, chunk) - first;
  const int64_t end = first + (rest < chunk_elements / parts ? rest : chunk_elements / parts);
  if (rest <= 0 || plan.report->skipped || !native_way::suits(plan, tensor)) return;
  const some::update on(plan, tensor);
  if (on.averages || on.zeroes || on.arrays.copy.data) return;
  const tiles all = {on, first, end - (end - first) % native_way::count, held, filled};
  const bool leads = threadIdx.x == 0;
  if (leads) {
    for (int k = 0; k < stages; ++k) filled[k].make();
    show_to_copies();
    for (int k = 0; k < stages - 1; ++k) all.load(k);
  }
  __syncthreads();
  for (int k = 0; k < all.count(); ++k) {
    if (!filled[k % stages].wait(unsigned(k / stages))) return;
    all.change(k);
    show_to_copies();
    __syncthreads();
    if (!leads) continue;
    all.store(k);
    wait_for_groups<1>();  // the tile before has left its stage, which the next one takes
    all.load(k + stages - 1);
  }
  if (leads) wait_for_groups<0>();
}

template <int parts>
const char* launch_bulk_update(const plan& on, cudaStream_t stream) {
#if defined(__CUDACC__)
  if (const char* error = failure(cudaFuncSetAttribute(bulk_update_kernel<parts>,
                                                       cudaFuncAttributePreferredSharedMemoryCarveout,
                                                       cudaSharedmemCarveoutMaxShared)))
    return error;
#endif
  if (const char* error = launch(bulk_update_kernel<parts>, unsigned(on.view().chunk_count * parts), threads,
                                 stream, on.view()))
    return error;
  return launch_update_of_rest<native_way>(on, stream);
}

template <int parts>
void add(variants& to, const plan& on) {
  to.push_back({"bulk copies, 3 stages, 8 x 128, chunk " + std::to_string(chunk_elements / parts),
                on.update_bytes(), gain(predict(on.update_bytes(), f32_one_way, tail(parts)), {0, 0.03}),
                launch_bulk_update<parts>, update_as_it_is});
}

}  // namespace

void add_bulk_updates(variants& to, const plan& on) {
  add<1>(to, on);
  add<4>(to, on);
}

}  // namespace gradstep::GS_TARGET::tune
