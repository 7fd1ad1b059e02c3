#include "python/rule_facts.h"

namespace gradstep {

namespace {

constexpr int number_bytes = sizeof(float);

state_shape shape_of(const rule_entry& rule, int state) {
  return rule.form ? rule.form->shapes[state] : state_shape::like_parameter;
}

// The parameter and the states like it are read and written, the gradient is read; a direction that is needed
// whole is written and read once more.
int count_update_bytes(const rule_entry& rule) {
  int crossings = 3;
  for (int k = 0; k < rule.states; ++k)
    if (shape_of(rule, k) == state_shape::like_parameter) crossings += 2;
  if (rule.form && rule.form->transforms_direction) crossings += 2;
  return crossings * number_bytes;
}

int count_bytes_before(const rule_entry& rule, const rule_facts& facts) {
  int crossings = rule.form && rule.form->reduces ? 1 : 0;
  if (facts.has_pass_before)
    crossings += 1 + int(facts.reads_parameter_before) + int(facts.states_read_before.size());
  return crossings * number_bytes;
}

std::string scope_of(const rule_entry& rule, bool measures) {
  if (rule.measures.over_all) return "all";
  return measures || rule.form ? "tensor" : "element";
}

}  // namespace

rule_facts facts_of(const rule_entry& rule) {
  rule_facts facts;
  for (int k = 0; k < rule.states; ++k) facts.states.emplace_back(state_shape_names[int(shape_of(rule, k))]);
  facts.hypers.assign(rule.hyper_names, rule.hyper_names + rule.hypers);
  facts.has_pass_before = rule.bodies[0].measure != nullptr;
  facts.scope = scope_of(rule, facts.has_pass_before);
  facts.writes_parameter = rule.writes_parameter;
  facts.sees_matrix = rule.form != nullptr;
  facts.reads_parameter_before = (rule.measures.reads & measured_parameter) != 0;
  for (int k = 0; k < rule.states; ++k)
    if (rule.measures.reads & measured_state(k)) facts.states_read_before.push_back(k);
  facts.update_bytes = count_update_bytes(rule);
  facts.bytes_before = count_bytes_before(rule, facts);
  return facts;
}

}  // namespace gradstep
