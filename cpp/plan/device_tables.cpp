#include "plan/device_tables.h"

#include <algorithm>

#include "plan/device_groups.h"

namespace gradstep {

bool device_tables::suits(const active_tensors& active, const std::vector<group_settings>& groups) const {
  return cut_for_ == active &&
         std::equal(groups.begin(), groups.end(), rules_.begin(), rules_.end(),
                    [](const group_settings& group, int rule) { return group.rule == rule; });
}

void device_tables::cut(const tensor_list& tensors, const std::vector<group_settings>& groups) {
  cut_for_.reset();  // until all is well
  rules_.clear();
  for (const group_settings& group : groups) rules_.push_back(group.rule);
  arrays_.forget_layouts(0);
  cut_.make(tensors, groups, arrays_);
  tensor_layouts_ = arrays_.layouts().size();
  take_matrix_memory();
  send_cut();
  take_memory();
  cut_for_ = tensors.active;
}

// The memory of matrices within a step.
void device_tables::take_matrix_memory() {
  const size_t bytes = cut_.place_matrices(nullptr);
  if (bytes > matrix_memory_.size()) by_.replace(matrix_memory_, bytes);
  if (bytes > 0) cut_.place_matrices(matrix_memory_.data());
}

void device_tables::send_cut() {
  packed_.clear();
  const size_t tensors = packed_.append(cut_.tensors), chunks = packed_.append(cut_.chunks),
               matrices = packed_.append(cut_.matrices), bands = packed_.append(cut_.bands),
               directions = packed_.append(cut_.directions);
  sent_cut_.hold(packed_.bytes(), by_);
  view_.tensors = sent_cut_.at<device_tensor>(tensors);
  view_.chunks = sent_cut_.at<device_chunk>(chunks);
  view_.matrices = sent_cut_.at<device_matrix>(matrices);
  view_.bands = sent_cut_.at<device_band>(bands);
  view_.directions = sent_cut_.at<device_array>(directions);
  view_.tensor_count = int32_t(cut_.tensors.size());
  view_.chunk_count = int32_t(cut_.chunks.size());
  view_.group_count = int32_t(rules_.size());
}

void device_tables::take_memory() {
  const size_t tensors = cut_.tensors.size();
  const std::vector<sums> no_totals(tensors + rules_.size() + 1);
  const size_t totals = tensors * sizeof(device_row), nodes = totals + no_totals.size() * sizeof(sums),
               scratch = nodes + cut_.chunks.size() * sizeof(sums),
               arrived = scratch + tensors * sizeof(sums),
               end = arrived + size_t(arrival_counters(int(tensors))) * sizeof(unsigned);
  if (end > memory_.size()) by_.replace(memory_, end);
  by_.send(memory_.data() + totals, no_totals.data(), no_totals.size() * sizeof(sums));
  view_.rows = reinterpret_cast<device_row*>(memory_.data());
  view_.totals = reinterpret_cast<sums*>(memory_.data() + totals);
  view_.nodes = reinterpret_cast<sums*>(memory_.data() + nodes);
  view_.scratch = reinterpret_cast<sums*>(memory_.data() + scratch);
  view_.arrived = reinterpret_cast<unsigned*>(memory_.data() + arrived);
  view_.summed_count = cut_.summed_count();
  zero_counters();
}

void device_tables::zero_counters() {
  const std::vector<unsigned> none(size_t(arrival_counters(int(cut_.tensors.size()))));
  by_.send(view_.arrived, none.data(), none.size() * sizeof(unsigned));
  launches_are_open_ = false;
}

void device_tables::renew(const tensor_list& tensors, const std::vector<group_settings>& groups) {
  if (launches_are_open_) zero_counters();
  renew_gradients(tensors);
  renew_settings(groups);
}

void device_tables::renew_gradients(const tensor_list& tensors) {
  gradients_.clear();
  arrays_.forget_layouts(tensor_layouts_);
  for (const int index : tensors.active.indices) {
    const tensor_task& task = tensors[index].layout.task;
    gradients_.push_back(arrays_.describe(task.gradient, task, "the gradient of parameter", index));
  }
  packed_.clear();
  const size_t gradients = packed_.append(gradients_), layouts = packed_.append(arrays_.layouts());
  sent_gradients_.hold(packed_.bytes(), by_);
  view_.gradients = sent_gradients_.at<device_array>(gradients);
  view_.layouts = sent_gradients_.at<device_layout>(layouts);
  cut_.find_reaches(gradients_);
}

void device_tables::renew_settings(const std::vector<group_settings>& groups) {
  const device_groups described(groups, cut_.ranges);
  packed_.clear();
  const size_t groups_at = packed_.append(described.groups), sources_at = packed_.append(described.sources),
               instructions_at = packed_.append(described.instructions),
               numbers_at = packed_.append(described.numbers);
  sent_settings_.hold(packed_.bytes(), by_);
  view_.groups = sent_settings_.at<device_group>(groups_at);
  view_.sources = sent_settings_.at<device_source>(sources_at);
  view_.instructions = sent_settings_.at<instruction>(instructions_at);
  view_.numbers = sent_settings_.at<double>(numbers_at);
}

}  // namespace gradstep
