#include "plan/settings.h"

namespace gradstep {

int place_of_number(const rule_entry& rule, const std::string& name) {
  for (int i = 0; i < rule.hypers; ++i)
    if (name == rule.hyper_names[i]) return i;
  for (int place = hyper_limit; place < group_number_count; ++place)
    if (name == group_number_names[place - hyper_limit]) return place;
  return -1;
}

}  // namespace gradstep
