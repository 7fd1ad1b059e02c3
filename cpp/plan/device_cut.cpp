#include "plan/device_cut.h"

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <utility>

namespace gradstep {

void device_cut::make(const tensor_list& of, const std::vector<group_settings>& groups,
                      device_arrays& arrays) {
  *this = {};
  const active_tensors& active = of.active;
  for (size_t i = 0; i < active.indices.size(); ++i)
    tensors.push_back(arrays.describe(of[active.indices[i]], active.indices[i], active.groups[i]));
  ranges.resize(groups.size());
  find_ranges();
  cut_chunks(of, groups, arrays);
  directions.assign(matrices.empty() ? 0 : tensors.size(), zeroed<device_array>());
}

// Tensors come group after group.
void device_cut::find_ranges() {
  const auto count = int32_t(tensors.size());
  for (range& each : ranges) each = {count, count};
  for (int32_t i = 0; i < count; ++i) {
    range& of = ranges[size_t(tensors[size_t(i)].group)];
    of.first = std::min(of.first, i);
    of.last = i + 1;
  }
}

// Tensors of one rule and arithmetic follow each other among the chunks, though not among the tensors, whose
// order is that of the sums.
void device_cut::cut_chunks(const tensor_list& of, const std::vector<group_settings>& groups,
                            device_arrays& arrays) {
  const auto launched_as = [&](int i) {
    const device_tensor& tensor = tensors[size_t(i)];
    return std::pair(groups[size_t(tensor.group)].rule, tensor.type);
  };
  std::vector<int> order(tensors.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return launched_as(a) < launched_as(b); });
  for (const int i : order) {
    device_tensor& tensor = tensors[size_t(i)];
    const auto [rule, type] = launched_as(i);
    if (launches.empty() || std::pair(launches.back().rule, launches.back().type) != launched_as(i))
      launches.push_back({rule, type, int32_t(chunks.size()), 0, int32_t(matrices.size()), 0,
                          int32_t(bands.size()), 0, 1, 0});
    tensor.first_chunk = int32_t(chunks.size());
    for (int64_t first = 0; first < tensor.size; first += chunk_elements) chunks.push_back({i, first});
    tensor.chunk_count = int32_t(chunks.size()) - tensor.first_chunk;
    cut_matrix(of[tensor.index], i, arrays);
    launches.back().last_chunk = int32_t(chunks.size());
    launches.back().last_matrix = int32_t(matrices.size());
    launches.back().last_band = int32_t(bands.size());
  }
  std::erase_if(launches, [](const device_launch& each) { return each.first_chunk == each.last_chunk; });
  divide_chunks();
}

// If most chunks are full, several blocks take a part of each. If tensors are small, one block takes a whole
// chunk.
void device_cut::divide_chunks() {
  launch_of.assign(tensors.size(), -1);
  for (device_launch& each : launches) {
    int64_t elements = 0;
    for (int32_t i = each.first_chunk; i < each.last_chunk; ++i) {
      const device_tensor& tensor = tensors[size_t(chunks[size_t(i)].tensor)];
      elements += std::min(chunk_elements, tensor.size - chunks[size_t(i)].first);
      launch_of[size_t(chunks[size_t(i)].tensor)] = int32_t(&each - launches.data());
    }
    const int64_t average = elements / (each.last_chunk - each.first_chunk);
    each.parts = 1;
    while (each.parts < most_parts && average / each.parts > part_elements) each.parts *= 2;
  }
}

void device_cut::cut_matrix(const tensor& of, int tensor, device_arrays& arrays) {
  const tensor_task& task = of.layout.task;
  if (!task.matrix || task.size == 0) return;
  auto made = zeroed<device_matrix>();
  made.tensor = tensor;
  made.form = task.matrix->form;
  made.sizes = task.matrix->sizes;
  for (int k = 0; k < task.state_count; ++k)
    if (task.matrix->is_own(k))
      made.own[k] =
          arrays.describe(task.matrix->own[k], task, "a state of parameter", tensors[size_t(tensor)].index);
  for (int64_t i = 0; i < made.sizes.matrices * made.sizes.bands(); ++i) {
    auto band = zeroed<device_band>();
    band.matrix = int32_t(matrices.size());
    band.number = i;
    band.first_row = made.sizes.first_row(i);
    band.last_row = made.sizes.last_row(i);
    bands.push_back(band);
  }
  matrices.push_back(made);
}

size_t device_cut::place_matrices(char* memory) {
  size_t used = 0;
  const auto put = [&](auto*& place, int64_t bytes) {
    if (memory) place = reinterpret_cast<std::remove_reference_t<decltype(place)>>(memory + used);
    used += size_t(bytes + 15) / 16 * 16;
  };
  for (device_matrix& matrix : matrices) {
    device_tensor& tensor = tensors[size_t(matrix.tensor)];
    const int64_t bytes = bytes_of(tensor.type);
    for (int k = 0; k < tensor.state_count; ++k) {
      const state_shape shape = matrix.form.shapes[k];
      if (shape == state_shape::like_parameter) continue;
      put(matrix.numbers[k], matrix.sizes.numbers(shape) * bytes);
      tensor.states[k].data = matrix.numbers[k];
    }
    if (matrix.form.reduces) put(matrix.row_sums, matrix.sizes.all_rows() * int64_t(sizeof(double)));
    if (matrix.form.has(state_shape::per_column))
      put(matrix.column_sums,
          matrix.sizes.matrices * matrix.sizes.bands() * matrix.sizes.columns * int64_t(sizeof(double)));
    if (!matrix.form.transforms_direction) continue;
    device_array& whole = directions[size_t(matrix.tensor)];
    whole.type = tensor.type == arithmetic::f64 ? dtype::f64 : dtype::f32;
    whole.access = {true, true, true};
    whole.layout = -1;
    put(whole.data, tensor.size * bytes);
  }
  return used;
}

void device_cut::find_reaches(const std::vector<device_array>& gradients) {
  for (device_launch& each : launches) each.reaches = 0;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (launch_of[i] >= 0)
      launches[size_t(launch_of[i])].reaches |= 1u << int(reach_of(tensors[i].access & gradients[i].access));
}

bool device_cut::has_groups() const {
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const device_tensor& each) { return !each.access.single; });
}

int32_t device_cut::summed_count() const {
  return int32_t(std::count_if(tensors.begin(), tensors.end(),
                               [](const device_tensor& each) { return each.chunk_count > 0; }));
}

}  // namespace gradstep
