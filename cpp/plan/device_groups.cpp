#include "plan/device_groups.h"

#include <algorithm>

namespace gradstep {

namespace {

// A group's numbers without a source. The device finds the others.
group_numbers fixed_numbers(const group_settings& settings) {
  group_numbers numbers = {};
  std::copy(settings.hypers.begin(), settings.hypers.end(), numbers.values);
  numbers[lr_number] = settings.lr;
  numbers[weight_decay_number] = settings.weight_decay;
  numbers[clip_norm_number] = settings.options.clip_norm;
  numbers[clip_value_number] = settings.options.clip_value;
  numbers[ema_number] = settings.options.ema;
  for (const number_source& each : settings.sources()) numbers[each.number] = 0;
  return numbers;
}

}  // namespace

device_groups::device_groups(const std::vector<group_settings>& of,
                             const std::vector<device_cut::range>& ranges) {
  for (size_t i = 0; i < of.size(); ++i) add(of[i], ranges[i]);
}

void device_groups::add(const group_settings& settings, const device_cut::range& tensors) {
  auto made = zeroed<device_group>();
  made.rule = settings.rule;
  made.numbers = fixed_numbers(settings);
  made.options = settings.options;
  made.options.clip_norm = made.options.clip_value = made.options.ema = 0;
  made.first_tensor = tensors.first;
  made.last_tensor = tensors.last;
  made.first_source = int32_t(sources.size());
  for (const number_source& each : settings.sources()) sources.push_back(describe(each));
  made.last_source = int32_t(sources.size());
  groups.push_back(made);
}

device_source device_groups::describe(const number_source& source) {
  auto made = zeroed<device_source>();
  made.number = source.number;
  made.factor = source.factor;
  if (const auto* scalar = std::get_if<scalar_ref>(&source.from)) {
    made.scalar.data = scalar->data;
    made.scalar.type = scalar->type;
  } else {
    const auto& program = std::get<schedule>(source.from);
    made.first_instruction = int32_t(instructions.size());
    made.length = int32_t(program.code().size());
    made.first_number = int32_t(numbers.size());
    instructions.insert(instructions.end(), program.code().begin(), program.code().end());
    numbers.insert(numbers.end(), program.numbers().begin(), program.numbers().end());
  }
  return made;
}

}  // namespace gradstep
