#include "plan.h"

#include <algorithm>
#include <cstring>

#include "cuda/rule_number.h"
#include "numbers.cuh"

namespace gradstep::GS_TARGET::tune {

namespace {

constexpr int64_t tensor_alignment = 512;  // of torch's allocator, in bytes
constexpr int64_t copy_limit = int64_t(2)
                               << 30;  // of each of the copy's two arrays: it is as fast as a larger one

int64_t aligned(int64_t bytes) {
  return (bytes + tensor_alignment - 1) / tensor_alignment * tensor_alignment;
}

int64_t array_bytes(const model& of) {
  int64_t sum = 0;
  for (const int64_t size : of.sizes) sum += aligned(size * format_of(of.type).bytes);
  return sum;
}

// Half of what an update moves: the copy reads and writes each byte.
int64_t copy_bytes(const model& of) {
  return std::min(copy_limit, aligned(of.elements() * format_of(of.type).bytes * 7 / 2));
}

struct bounds {
  float low, high;
};
constexpr bounds numbers_of[plan::arrays] = {{-0.1f, 0.1f}, {-0.01f, 0.01f}, {-0.01f, 0.01f}, {1e-6f, 1e-4f}};

void fill(const memory& array, dtype type, uint64_t seed, bounds within, cudaStream_t stream) {
  const int64_t count = int64_t(array.size()) / format_of(type).bytes;
  const auto kernel = type == dtype::bf16 ? fill_kernel<formats::bf16> : fill_kernel<formats::f32>;
  check(launch(kernel, fill_blocks(count), fill_threads, stream, array.data(), count, seed, within.low,
               within.high),
        "filling an array");
}

}  // namespace

size_t plan::bytes_needed(const model& of) { return size_t(arrays * array_bytes(of) + 2 * copy_bytes(of)); }

plan::plan(const model& of) : model_(of), number_bytes_(int(format_of(of.type).bytes)) {
  for (memory& array : arrays_) array = memory(size_t(array_bytes(of)));
  from_ = memory(size_t(copy_bytes(of)));
  to_ = memory(size_t(copy_bytes(of)));
  fill(from_, dtype::f32, 99, numbers_of[0], stream_.get());
  make_tensors();
  make_groups();
  view_.tensors = tensors_.data();
  view_.gradients = gradients_.data();
  view_.chunks = chunks_.data();
  view_.groups = groups_.data();
  view_.clocks = clocks_.data();
  view_.rows = reinterpret_cast<device_row*>(rows_.data());
  view_.nodes = reinterpret_cast<sums*>(nodes_.data());
  view_.totals = totals_.data();
  view_.scratch = reinterpret_cast<sums*>(scratch_.data());
  view_.report = report_.data();
  view_.arrived = arrived_.data();
  step_.unscale = 1;
  reset();
  stream_.wait("making a plan");
}

device_array plan::array_at(int k, int64_t first) const {
  device_array made = {};
  made.data = arrays_[k].data() + first;
  made.type = model_.type;
  made.access = {true, true, model_.type == dtype::f32};
  made.layout = -1;
  return made;
}

void plan::make_tensors() {
  const int count = int(model_.sizes.size());
  cells_ = table<char>(std::vector<char>(size_t(count * tensor_alignment)));
  std::vector<device_tensor> tensors;
  std::vector<device_array> gradients;
  std::vector<device_chunk> chunks;
  int64_t place = 0;
  for (int i = 0; i < count; ++i) {
    const int64_t size = model_.sizes[size_t(i)];
    device_tensor made = {};
    made.parameter = array_at(0, place);
    gradients.push_back(array_at(1, place));
    made.states[0] = array_at(2, place);
    made.states[1] = array_at(3, place);
    made.state_count = 2;
    made.size = size;
    made.index = i;
    made.type = arithmetic::f32;
    made.access = made.parameter.access;
    made.numbers[0] = {cells_.data() + i * tensor_alignment, dtype::f32};
    made.number_count = 1;
    made.first_chunk = int32_t(chunks.size());
    for (int64_t first = 0; first < size; first += chunk_elements) chunks.push_back({i, first});
    made.chunk_count = int32_t(chunks.size()) - made.first_chunk;
    tensors.push_back(made);
    place += aligned(size * number_bytes_);
  }
  view_.tensor_count = count;
  view_.chunk_count = int32_t(chunks.size());
  nodes_ = memory(chunks.size() * sizeof(sums));
  scratch_ = memory(tensors.size() * sizeof(sums));
  clocks_ = table<device_clock>(std::vector<device_clock>(tensors.size()));
  rows_ = table<char>(std::vector<char>(tensors.size() * sizeof(device_row)));
  totals_ = table<sums>(std::vector<sums>(tensors.size() + 2));  // one group, and all
  view_.summed_count = count;
  report_ = table<device_report>({{0, -1, {}, 0}});
  arrived_ = table<unsigned>(std::vector<unsigned>(size_t(arrival_counters(count))));
  tensors_ = table<device_tensor>(std::move(tensors));
  gradients_ = table<device_array>(std::move(gradients));
  chunks_ = table<device_chunk>(std::move(chunks));
}

void plan::make_groups() {
  device_group made = {};
  made.rule = int32_t(rule_number::adam);
  const adam<float>::hyper hyper = {0.9, 0.999, 1e-8};
  static_assert(sizeof hyper <= sizeof(double) * hyper_limit);
  std::memcpy(made.numbers.values, &hyper, sizeof hyper);
  made.numbers[lr_number] = 1e-3;
  made.numbers[weight_decay_number] = 1e-2;
  made.numbers[clip_norm_number] = made.numbers[clip_value_number] = no_limit;
  made.options.decay = decay_kind::decoupled;
  made.last_tensor = view_.tensor_count;
  groups_ = table<device_group>({made});
  view_.group_count = 1;
}

void plan::reset() const {
  const cudaStream_t stream = stream_.get();
  for (int k = 0; k < arrays; ++k) fill(arrays_[k], model_.type, uint64_t(k), numbers_of[k], stream);
  cells_.send(stream);
  tensors_.send(stream);
  gradients_.send(stream);
  chunks_.send(stream);
  groups_.send(stream);
  clocks_.send(stream);
  rows_.send(stream);
  totals_.send(stream);
  report_.send(stream);
  arrived_.send(stream);
}

std::vector<plan::output> plan::outputs() const {
  return {{"the parameters", &arrays_[0]},
          {"the gradients", &arrays_[1]},
          {"the first moments", &arrays_[2]},
          {"the second moments", &arrays_[3]},
          {"the counts of steps", &cells_.bytes()},
          {"the tensors' times", &clocks_.bytes()},
          {"the rows", &rows_.bytes()},
          {"the totals", &totals_.bytes()},
          {"the report", &report_.bytes()},
          {"the counters", &arrived_.bytes()}};
}

}  // namespace gradstep::GS_TARGET::tune
