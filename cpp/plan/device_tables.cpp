#include "plan/device_tables.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace gradstep {

namespace {

// Its padding too, so that equal tables are equal bytes.
template <class T>
T zeroed() {
  T made;
  std::memset(static_cast<void*>(&made), 0, sizeof made);
  return made;
}

device_layout layout_of(const operand& x) {
  auto made = zeroed<device_layout>();
  made.ndim = int32_t(x.dimensions.size());
  for (size_t d = 0; d < x.dimensions.size(); ++d) {
    made.sizes[d] = x.dimensions[d].size;
    made.strides[d] = x.dimensions[d].stride;
  }
  return made;
}

bool is_aligned(const operand& x, int64_t bytes) {
  return reinterpret_cast<uintptr_t>(x.data) % uintptr_t(bytes) == 0;
}

bool packs_are_aligned(const operand& x, arithmetic type) {
  const int64_t count = type == arithmetic::f64 ? pack_count<double> : stored_pack_count;
  return is_aligned(x, std::min(int64_t(16), count * format_of(x.type).bytes));
}

// Of a group's numbers those that have no source: the device finds the others.
group_numbers fixed_numbers(const group_settings& settings) {
  group_numbers numbers = {};
  std::copy(settings.hypers.begin(), settings.hypers.end(), numbers.values);
  numbers[lr_number] = settings.lr;
  numbers[weight_decay_number] = settings.weight_decay;
  numbers[clip_norm_number] = settings.around.clip_norm;
  numbers[clip_value_number] = settings.around.clip_value;
  numbers[ema_number] = settings.around.average_decay;
  for (const number_source& each : settings.sources()) numbers[each.number] = 0;
  return numbers;
}

}  // namespace

bool device_tables::suits(const active_tensors& active, const std::vector<group_settings>& groups) const {
  return cut_for_ == active &&
         std::equal(groups.begin(), groups.end(), rules_.begin(), rules_.end(),
                    [](const group_settings& group, int rule) { return group.rule == rule; });
}

void device_tables::cut(const tensor_list& tensors, const std::vector<group_settings>& groups) {
  cut_for_.reset();  // until all is well
  rules_.clear();
  tensors_.clear();
  layouts_.clear();
  const active_tensors& active = tensors.active;
  for (size_t i = 0; i < active.indices.size(); ++i)
    tensors_.push_back(describe(tensors[active.indices[i]], active.indices[i], active.groups[i]));
  for (const group_settings& group : groups) rules_.push_back(group.rule);
  find_ranges();
  cut_chunks(tensors);
  tensor_layouts_ = layouts_.size();
  take_matrix_memory();
  send_cut();
  take_memory();
  cut_for_ = active;
}

bool device_tables::has_groups() const {
  return std::any_of(tensors_.begin(), tensors_.end(),
                     [](const device_tensor& each) { return !each.by.single; });
}

device_array device_tables::place(const operand& x, const tensor_task& of, const char* what, int index) {
  const arithmetic type = of.type;
  auto made = zeroed<device_array>();
  made.data = x.data;
  made.type = x.type;
  made.second = x.second;
  made.size = of.size;
  made.layout = -1;
  if (!is_aligned(x, format_of(x.type).bytes))
    throw std::invalid_argument(
        std::string(what) + " " + std::to_string(index) +
        " does not lie at a multiple of its numbers' size, where a device could read it: pass a copy");
  made.by.single = !x.second;
  made.by.straight = x.direct && !x.second && arithmetic_of(x.type) == type;
  made.by.packed = made.by.straight && packs_are_aligned(x, type);
  made.by.native = made.by.straight && x.type == native_format(type);
  if (x.direct) return made;
  if (x.dimensions.size() > layout_limit)
    throw std::invalid_argument(std::string(what) + " " + std::to_string(index) + " has " +
                                std::to_string(x.dimensions.size()) +
                                " dimensions that do not lie together, and a device takes " +
                                std::to_string(layout_limit) + ": pass a contiguous copy");
  made.layout = int32_t(layouts_.size());
  layouts_.push_back(layout_of(x));
  return made;
}

device_tensor device_tables::describe(const tensor& of, int index, int group) {
  const tensor_task& task = of.layout.task;
  auto made = zeroed<device_tensor>();
  made.size = task.size;
  made.index = index;
  made.group = group;
  made.type = task.type;
  made.by = {true, true, true};
  const auto take = [&](const operand& x, const char* what) {
    const device_array array = place(x, task, what, index);
    made.by = made.by & array.by;
    return array;
  };
  made.parameter = take(task.parameter, "parameter");
  made.state_count = std::max(task.state_count, 0);
  for (int k = 0; k < made.state_count; ++k) made.states[k] = take(task.states[k], "a state of parameter");
  // Which keeps registers free where elements lie straight: a tensor's states have one type, unless someone
  // has replaced one.
  for (int k = 1; k < made.state_count; ++k)
    if (made.states[k].type != made.states[0].type)
      made.by.straight = made.by.packed = made.by.native = false;
  if (task.has_average) made.average = take(task.average, "the average of parameter");
  if (task.has_copy) {
    made.copy = place(task.copy, task, "the copy of parameter", index);
    made.by =
        made.by & ways{task.copy.direct, task.copy.direct && packs_are_aligned(task.copy, task.type), true};
  }
  made.number_count = int32_t(of.time.numbers.size());
  std::copy(of.time.numbers.begin(), of.time.numbers.end(), made.numbers);
  made.average_product = of.time.average_product;
  return made;
}

// Tensors come group after group.
void device_tables::find_ranges() {
  const auto count = int32_t(tensors_.size());
  ranges_.assign(rules_.size(), {count, count});
  for (int32_t i = 0; i < count; ++i) {
    range& of = ranges_[size_t(tensors_[size_t(i)].group)];
    of.first = std::min(of.first, i);
    of.last = i + 1;
  }
}

// Tensors of one rule and arithmetic follow each other among the chunks, though not among the tensors, whose
// order is that of the sums.
void device_tables::cut_chunks(const tensor_list& tensors) {
  const auto launched_as = [&](int i) {
    const device_tensor& tensor = tensors_[size_t(i)];
    return std::pair(rules_[size_t(tensor.group)], tensor.type);
  };
  std::vector<int> order(tensors_.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return launched_as(a) < launched_as(b); });
  chunks_.clear();
  matrices_.clear();
  bands_.clear();
  launches_.clear();
  for (const int i : order) {
    device_tensor& tensor = tensors_[size_t(i)];
    const auto [rule, type] = launched_as(i);
    if (launches_.empty() || std::pair(launches_.back().rule, launches_.back().type) != launched_as(i))
      launches_.push_back({rule, type, int32_t(chunks_.size()), 0, int32_t(matrices_.size()), 0,
                           int32_t(bands_.size()), 0, 1, 0});
    tensor.first_chunk = int32_t(chunks_.size());
    for (int64_t first = 0; first < tensor.size; first += chunk_elements) chunks_.push_back({i, first});
    tensor.chunk_count = int32_t(chunks_.size()) - tensor.first_chunk;
    cut_matrix(tensors[tensor.index], i);
    launches_.back().last_chunk = int32_t(chunks_.size());
    launches_.back().last_matrix = int32_t(matrices_.size());
    launches_.back().last_band = int32_t(bands_.size());
  }
  std::erase_if(launches_, [](const device_launch& each) { return each.first_chunk == each.last_chunk; });
  divide_chunks();
}

// Where most chunks are full, many blocks take a part of each; where tensors are small, one takes all of it.
void device_tables::divide_chunks() {
  launch_of_.assign(tensors_.size(), -1);
  for (device_launch& each : launches_) {
    int64_t elements = 0;
    for (int32_t i = each.first_chunk; i < each.last_chunk; ++i) {
      const device_tensor& tensor = tensors_[size_t(chunks_[size_t(i)].tensor)];
      elements += std::min(chunk_elements, tensor.size - chunks_[size_t(i)].first);
      launch_of_[size_t(chunks_[size_t(i)].tensor)] = int32_t(&each - launches_.data());
    }
    const int64_t average = elements / (each.last_chunk - each.first_chunk);
    each.parts = 1;
    while (each.parts < most_parts && average / each.parts > part_elements) each.parts *= 2;
  }
}

// A gradient may be reached in another way than the one before.
void device_tables::find_reaches() {
  for (device_launch& each : launches_) each.reaches = 0;
  for (size_t i = 0; i < tensors_.size(); ++i)
    if (launch_of_[i] >= 0)
      launches_[size_t(launch_of_[i])].reaches |= 1u << int(reach_of(tensors_[i].by & places_[i].by));
}

void device_tables::cut_matrix(const tensor& of, int tensor) {
  const tensor_task& task = of.layout.task;
  if (!task.matrix || task.size == 0) return;
  auto made = zeroed<device_matrix>();
  made.tensor = tensor;
  made.form = task.matrix->form;
  made.sizes = task.matrix->sizes;
  for (int k = 0; k < task.state_count; ++k)
    if (task.matrix->is_own(k))
      made.own[k] = place(task.matrix->own[k], task, "a state of parameter", tensors_[size_t(tensor)].index);
  for (int64_t i = 0; i < made.sizes.matrices * made.sizes.bands(); ++i) {
    auto band = zeroed<device_band>();
    band.matrix = int32_t(matrices_.size());
    band.number = i;
    band.first_row = made.sizes.first_row(i);
    band.last_row = made.sizes.last_row(i);
    bands_.push_back(band);
  }
  matrices_.push_back(made);
}

// The memory of matrices within a step.
void device_tables::take_matrix_memory() {
  directions_.assign(matrices_.empty() ? 0 : tensors_.size(), zeroed<device_array>());
  const size_t bytes = place_matrices(nullptr);
  if (bytes > matrix_memory_.size()) by_.replace(matrix_memory_, bytes);
  if (bytes > 0) place_matrices(matrix_memory_.data());
}

// Puts everything into its place in the memory; null only tells how much is needed.
size_t device_tables::place_matrices(char* memory) {
  size_t used = 0;
  const auto put = [&](auto*& place, int64_t bytes) {
    if (memory) place = reinterpret_cast<std::remove_reference_t<decltype(place)>>(memory + used);
    used += size_t(bytes + 15) / 16 * 16;
  };
  for (device_matrix& matrix : matrices_) {
    device_tensor& tensor = tensors_[size_t(matrix.tensor)];
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
    device_array& directions = directions_[size_t(matrix.tensor)];
    directions.type = tensor.type == arithmetic::f64 ? dtype::f64 : dtype::f32;
    directions.by = {true, true, true};
    directions.layout = -1;
    put(directions.data, tensor.size * bytes);
  }
  return used;
}

void device_tables::send_cut() {
  packed_.clear();
  const size_t tensors = packed_.append(tensors_), chunks = packed_.append(chunks_),
               matrices = packed_.append(matrices_), bands = packed_.append(bands_),
               directions = packed_.append(directions_);
  cut_.hold(packed_.bytes(), by_);
  view_.tensors = cut_.at<device_tensor>(tensors);
  view_.chunks = cut_.at<device_chunk>(chunks);
  view_.matrices = cut_.at<device_matrix>(matrices);
  view_.bands = cut_.at<device_band>(bands);
  view_.directions = cut_.at<device_array>(directions);
  view_.tensor_count = int32_t(tensors_.size());
  view_.chunk_count = int32_t(chunks_.size());
  view_.group_count = int32_t(rules_.size());
}

void device_tables::take_memory() {
  const size_t tensors = tensors_.size();
  const std::vector<sums> no_totals(tensors + rules_.size() + 1);
  const size_t totals = tensors * sizeof(device_row), nodes = totals + no_totals.size() * sizeof(sums),
               scratch = nodes + chunks_.size() * sizeof(sums), arrived = scratch + tensors * sizeof(sums),
               end = arrived + size_t(arrival_counters(int(tensors))) * sizeof(unsigned);
  if (end > memory_.size()) by_.replace(memory_, end);
  by_.send(memory_.data() + totals, no_totals.data(), no_totals.size() * sizeof(sums));
  view_.rows = reinterpret_cast<device_row*>(memory_.data());
  view_.totals = reinterpret_cast<sums*>(memory_.data() + totals);
  view_.nodes = reinterpret_cast<sums*>(memory_.data() + nodes);
  view_.scratch = reinterpret_cast<sums*>(memory_.data() + scratch);
  view_.arrived = reinterpret_cast<unsigned*>(memory_.data() + arrived);
  view_.summed_count = int32_t(std::count_if(tensors_.begin(), tensors_.end(),
                                             [](const device_tensor& each) { return each.chunk_count > 0; }));
  zero_counters();
}

void device_tables::zero_counters() {
  const std::vector<unsigned> none(size_t(arrival_counters(int(tensors_.size()))));
  by_.send(view_.arrived, none.data(), none.size() * sizeof(unsigned));
  launches_are_open_ = false;
}

void device_tables::renew(const tensor_list& tensors, const std::vector<group_settings>& groups) {
  if (launches_are_open_) zero_counters();
  renew_gradients(tensors);
  renew_settings(groups);
}

void device_tables::renew_gradients(const tensor_list& tensors) {
  places_.clear();
  layouts_.resize(tensor_layouts_);
  for (const int index : tensors.active.indices) {
    const tensor_task& task = tensors[index].layout.task;
    places_.push_back(place(task.gradient, task, "the gradient of parameter", index));
  }
  packed_.clear();
  const size_t gradients = packed_.append(places_), layouts = packed_.append(layouts_);
  gradients_.hold(packed_.bytes(), by_);
  view_.gradients = gradients_.at<device_array>(gradients);
  view_.layouts = gradients_.at<device_layout>(layouts);
  find_reaches();
}

void device_tables::renew_settings(const std::vector<group_settings>& groups) {
  std::vector<device_group> described;
  std::vector<device_source> sources;
  programs_ = {};
  for (size_t group = 0; group < groups.size(); ++group) {
    described.push_back(describe(groups[group], int(group)));
    described.back().first_source = int32_t(sources.size());
    for (const number_source& each : groups[group].sources()) sources.push_back(describe(each));
    described.back().last_source = int32_t(sources.size());
  }
  packed_.clear();
  const size_t groups_at = packed_.append(described), sources_at = packed_.append(sources),
               instructions_at = packed_.append(programs_.instructions),
               numbers_at = packed_.append(programs_.numbers);
  settings_.hold(packed_.bytes(), by_);
  view_.groups = settings_.at<device_group>(groups_at);
  view_.sources = settings_.at<device_source>(sources_at);
  view_.instructions = settings_.at<instruction>(instructions_at);
  view_.numbers = settings_.at<double>(numbers_at);
}

device_source device_tables::describe(const number_source& source) {
  auto made = zeroed<device_source>();
  made.number = source.number;
  made.factor = source.factor;
  if (const auto* cell = std::get_if<scalar_ref>(&source.from)) {
    made.cell.data = cell->data;
    made.cell.type = cell->type;
  } else {
    const auto& program = std::get<schedule>(source.from);
    made.first_instruction = int32_t(programs_.instructions.size());
    made.length = int32_t(program.code().size());
    made.first_number = int32_t(programs_.numbers.size());
    programs_.add(program);
  }
  return made;
}

device_group device_tables::describe(const group_settings& settings, int group) const {
  auto made = zeroed<device_group>();
  made.rule = settings.rule;
  made.numbers = fixed_numbers(settings);
  made.around = settings.around;
  made.around.clip_norm = made.around.clip_value = made.around.average_decay = 0;
  made.first_tensor = ranges_[size_t(group)].first;
  made.last_tensor = ranges_[size_t(group)].last;
  return made;
}

}  // namespace gradstep
