// The kernels of every GS_PARTS-th rule, from GS_PART on: compiled once for each part, side by side.
#include "cuda/rule_number.h"
#include "cuda/rules.cuh"

namespace gradstep::GS_TARGET {

template <template <class> class Rule, rule_number rule>
constexpr rule_launches launches_of() {
  if constexpr (int(rule) % GS_PARTS == GS_PART)
    return launches_of<Rule>();
  else
    return {};
}

template <>
const rule_launches* launches_of_part<GS_PART>() {
#define GS_RULE(rule) launches_of<rule, rule_number::rule>(),
  static constexpr rule_launches found[] = {
#include "rules/list.h"
  };
#undef GS_RULE
  return found;
}

}  // namespace gradstep::GS_TARGET
