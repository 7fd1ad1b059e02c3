// The device engine: memory, and the launches of a step.
#include "device/engine_api.h"

#include <array>
#include <utility>

#include "cuda/bandwidth.cuh"
#include "cuda/prepare.cuh"
#include "cuda/rules.cuh"
#include "cuda/standalone.cuh"

#define GS_QUOTE(x) #x
#define GS_NAME(x) GS_QUOTE(x)

namespace gradstep::GS_TARGET {

namespace {

const char* select_device(int device, int* before) {
  if (const char* error = failure(cudaGetDevice(before))) return error;
  return *before == device ? nullptr : failure(cudaSetDevice(device));
}
// During any thread's capture of a graph, memory can be allocated and freed only by a thread that has
// declared its calls safe. Without that, the capture would fail for an unrelated reason: a plan that the
// garbage collector has just found.
template <class Call>
const char* beside_captures(const Call& call) {
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
  if (const char* error = failure(cudaThreadExchangeStreamCaptureMode(&mode))) return error;
  const char* const error = failure(call());
  cudaThreadExchangeStreamCaptureMode(&mode);
  return error;
}

const char* allocate(void** memory, size_t bytes) {
  return beside_captures([=] { return cudaMalloc(memory, bytes); });
}
const char* release(void* memory) {
  return beside_captures([=] { return cudaFree(memory); });
}
const char* allocate_pinned(void** memory, size_t bytes) {
  return beside_captures([=] { return cudaMallocHost(memory, bytes); });
}
const char* release_pinned(void* memory) {
  return beside_captures([=] { return cudaFreeHost(memory); });
}

const char* send(void* to, const void* from, size_t bytes, void* stream) {
  return failure(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, static_cast<cudaStream_t>(stream)));
}

const char* wait(void* stream) { return failure(cudaStreamSynchronize(static_cast<cudaStream_t>(stream))); }

const char* fetch(void* to, const void* from, size_t bytes, void* stream) {
  if (const char* error = failure(
          cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, static_cast<cudaStream_t>(stream))))
    return error;
  return wait(stream);
}

const char* is_capturing(bool* answer, void* stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  const cudaError_t error = cudaStreamIsCapturing(static_cast<cudaStream_t>(stream), &status);
  *answer = status != cudaStreamCaptureStatusNone;
  return failure(error);
}

#if defined(__CUDACC__)
const char* find_graph(cudaStream_t stream, cudaGraph_t* graph) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
#if CUDART_VERSION >= 13000
  return failure(cudaStreamGetCaptureInfo(stream, &status, nullptr, graph));
#else
  return failure(cudaStreamGetCaptureInfo_v2(stream, &status, nullptr, graph));
#endif
}

const char* keep_in_graph(void* stream, void* owner, void (*release)(void*)) {
  cudaGraph_t graph = nullptr;
  if (const char* error = find_graph(static_cast<cudaStream_t>(stream), &graph)) return error;
  cudaUserObject_t kept = nullptr;
  if (const char* error =
          failure(cudaUserObjectCreate(&kept, owner, release, 1, cudaUserObjectNoDestructorSync)))
    return error;
  return failure(cudaGraphRetainUserObject(graph, kept, 1, cudaGraphUserObjectMove));
}
#else
const char* keep_in_graph(void*, void* owner, void (*release)(void*)) {
  emulation::keep_in_graph(owner, release);
  return nullptr;
}
#endif

void* current_stream() {
#if defined(__CUDACC__)
  return nullptr;
#else
  return emulation::current_stream();
#endif
}

const char* make_event(void** event) {
  cudaEvent_t made = nullptr;
  const char* const error = failure(cudaEventCreateWithFlags(&made, cudaEventDisableTiming));
  *event = made;
  return error;
}
const char* drop_event(void* event) { return failure(cudaEventDestroy(static_cast<cudaEvent_t>(event))); }

const char* record(void* event, void* stream) {
  return failure(cudaEventRecord(static_cast<cudaEvent_t>(event), static_cast<cudaStream_t>(stream)));
}

const char* wait_for_event(void* event) {
  return failure(cudaEventSynchronize(static_cast<cudaEvent_t>(event)));
}

const char* hold_up(void* stream, void* event) {
  return failure(cudaStreamWaitEvent(static_cast<cudaStream_t>(stream), static_cast<cudaEvent_t>(event), 0));
}

const char* sum_gradients(const device_plan_view& plan, const device_step& step, void* stream) {
  return launch(sum_gradients_kernel, unsigned(plan.chunk_count), block_threads,
                static_cast<cudaStream_t>(stream), plan, step);
}

const char* prepare(const device_plan_view& plan, const device_step& step, bool before_measuring,
                    void* stream) {
  return launch(prepare_kernel, unsigned(prepare_blocks(plan)), block_threads,
                static_cast<cudaStream_t>(stream), plan, step, before_measuring);
}

template <int... part>
constexpr std::array<decltype(&launches_of_part<0>), GS_PARTS> parts_of(std::integer_sequence<int, part...>) {
  return {launches_of_part<part>...};
}

const rule_launches& launches_of(int rule) {
  static constexpr auto parts = parts_of(std::make_integer_sequence<int, GS_PARTS>{});
  return parts[rule % GS_PARTS]()[rule];
}

const char* measure_rule(const device_plan_view& plan, const device_launch& part, void* stream) {
  return launches_of(part.rule).measure[int(part.type)](plan, part, stream);
}

const char* update(const device_plan_view& plan, const device_step& step, const device_launch& part,
                   void* stream) {
  return launches_of(part.rule).update[int(part.type)](plan, step, part, stream);
}

const char* transform_gradients(const device_plan_view& plan, const gradient_transform& stage, void* stream) {
  return launch(transform_gradients_kernel, unsigned(plan.chunk_count), block_threads,
                static_cast<cudaStream_t>(stream), plan, stage);
}

const char* zero_gradients(const device_plan_view& plan, void* stream) {
  return launch(zero_gradients_kernel, unsigned(plan.chunk_count), block_threads,
                static_cast<cudaStream_t>(stream), plan);
}

const char* follow_parameters(const device_plan_view& plan, double weight, void* stream) {
  return launch(follow_parameters_kernel, unsigned(plan.chunk_count), block_threads,
                static_cast<cudaStream_t>(stream), plan, weight);
}

const char* join_reports(const device_plan_view& plan, const int32_t* tensors, int count, bool lagged,
                         void* stream) {
  return launch(join_reports_kernel, 1, block_threads, static_cast<cudaStream_t>(stream), plan, tensors,
                count, lagged);
}

const char* rewrite(const rewritten_arrays& arrays, void* stream) {
  const auto blocks = unsigned((arrays.packs + block_threads - 1) / block_threads);
  return launch(rewrite_kernel, blocks, block_threads, static_cast<cudaStream_t>(stream), arrays, 0u);
}

int device_count() {
  int count = 0;
  return failure(cudaGetDeviceCount(&count)) ? 0 : count;
}

}  // namespace

const engine& this_engine() {
  static const engine description = {.version = engine_version,
                                     .name = GS_NAME(GS_TARGET),
                                     .device_type = device_type,
                                     .device_count = device_count(),
                                     .out_of_memory = cudaGetErrorString(cudaErrorMemoryAllocation),
                                     .select = select_device,
                                     .allocate = allocate,
                                     .release = release,
                                     .allocate_pinned = allocate_pinned,
                                     .release_pinned = release_pinned,
                                     .send = send,
                                     .fetch = fetch,
                                     .wait = wait,
                                     .is_capturing = is_capturing,
                                     .keep_in_graph = keep_in_graph,
                                     .current_stream = current_stream,
                                     .make_event = make_event,
                                     .drop_event = drop_event,
                                     .record = record,
                                     .wait_for_event = wait_for_event,
                                     .hold_up = hold_up,
                                     .sum_gradients = sum_gradients,
                                     .prepare = prepare,
                                     .measure_rule = measure_rule,
                                     .update = update,
                                     .transform_gradients = transform_gradients,
                                     .zero_gradients = zero_gradients,
                                     .follow_parameters = follow_parameters,
                                     .join_reports = join_reports,
                                     .rewrite = rewrite};
  return description;
}

}  // namespace gradstep::GS_TARGET
