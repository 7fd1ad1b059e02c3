// The settings of groups for a device: their numbers, and the sources of numbers that a schedule or an array
// drives.
#pragma once

#include <vector>

#include "plan/device_cut.h"
#include "plan/settings.h"

namespace gradstep {

struct device_groups {
  std::vector<device_group> groups;
  std::vector<device_source> sources;
  std::vector<instruction> instructions;  // of the schedules' programs, one behind the other
  std::vector<double> numbers;            // theirs

  // `ranges` are those of the groups' tensors.
  device_groups(const std::vector<group_settings>& of, const std::vector<device_cut::range>& ranges);

 private:
  void add(const group_settings& settings, const device_cut::range& tensors);
  device_source describe(const number_source& source);
};

}  // namespace gradstep
