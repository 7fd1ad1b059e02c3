// The numbers of a group that a schedule or an array may drive, by name and by place.
#pragma once

#include <iterator>

#include "numeric/portable.h"

namespace gradstep {

constexpr int hyper_limit = 10;  // the rule's own numbers come first

enum group_number : int {
  lr_number = hyper_limit,
  weight_decay_number,
  clip_norm_number,
  clip_value_number,
  ema_number,
  group_number_count,
};
constexpr const char* group_number_names[] = {"lr", "weight_decay", "clip_norm", "clip_value", "ema"};
static_assert(hyper_limit + int(std::size(group_number_names)) == group_number_count);

struct group_numbers {
  double values[group_number_count];

  GS_HD double& operator[](int place) { return values[place]; }
  GS_HD double operator[](int place) const { return values[place]; }
};

}  // namespace gradstep
