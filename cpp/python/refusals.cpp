#include "python/refusals.h"

#include "host/simd/dispatch.h"
#include "plan/rule_reductions.h"

namespace py = pybind11;

namespace gradstep {

namespace {

[[noreturn]] void refuse_unsure(const std::string& first, const std::string& second) {
  const std::string question =
      first == second ? first + " repeats its own elements" : first + " and " + second + " share memory";
  throw py::value_error("whether " + question + " can't be told within " + std::to_string(search_limit) +
                        " steps of a search through their strides: pass contiguous copies");
}

[[noreturn]] void refuse_repeated(const std::string& name) {
  throw py::value_error(
      name + " overlaps itself (an expanded or sliding view): pass a copy, or the array that it views");
}

std::string name_of(const tensor_part& part, const std::function<std::string(int, size_t)>& member_text) {
  const std::string parameter = "parameter " + std::to_string(part.tensor);
  if (part.member == tensor_part::parameter) return parameter;
  return part.member < 0 ? "the gradient of " + parameter : member_text(part.tensor, size_t(part.member));
}

}  // namespace

void refuse_impossible(const std::vector<group_settings>& groups) {
  for (const group_settings& group : groups)
    if (group.options.cautious && rule_of(group).writes_parameter)
      throw py::value_error("cautious decay looks at the update's direction, and the rule '" +
                            std::string(rule_of(group).name) + "' has none: pass cautious=False");
  if (const group_settings* const unlike = find_unlike_group(groups))
    throw py::value_error("the rule '" + std::string(rule_of(*unlike).name) +
                          "' measures all groups as one: give them the same lr and hyper-parameters "
                          "(weight_decay and the options may differ)");
}

void refuse_shared(const shared_memory& found, const std::function<std::string(int, size_t)>& member_text) {
  const std::string mine = name_of(found.subject, member_text), others = name_of(found.other, member_text);
  if (found.unsure) refuse_unsure(mine, others);
  if (found.subject.member == tensor_part::zeroed_gradient)
    throw py::value_error(
        mine +
        (found.alone ? " overlaps itself (an expanded or sliding view)" : " shares memory with " + others) +
        ", so it can't be zeroed: pass a copy, or zero_grad=False");
  if (found.alone) refuse_repeated(mine);
  if (found.subject.member == tensor_part::gradient) {
    const bool own =
        found.subject.tensor == found.other.tensor && found.other.member == tensor_part::parameter;
    throw py::value_error(mine + " shares memory with " + others + (own ? " in another order" : "") +
                          ": pass a copy");
  }
  if (found.subject.member == tensor_part::parameter)
    throw py::value_error(mine + " and " + others + " share memory: pass each element once");
  throw py::value_error(mine + " shares memory with " + others + ": give it memory of its own, a copy");
}

void refuse_read_only_gradients(const tensor_list& tensors, const std::vector<group_settings>& groups) {
  for (const int index : tensors.zeroed(groups)) {
    const tensor_layout& layout = tensors[index].layout;
    if (!layout.task.gradient.rows && !layout.gradient().writable)
      throw py::value_error("the gradient of parameter " + std::to_string(index) +
                            " is read-only: pass one that can be written, or zero_grad=False");
  }
}

void refuse_beside_rows(const group_settings& settings, int index) {
  const auto refuse = [&](const char* reason) {
    throw py::value_error("the gradient of parameter " + std::to_string(index) + " is sparse: " + reason);
  };
  if (rule_of(settings).form)
    refuse("its rule sees whole rows and columns of the parameter at once; pass .to_dense()");
  if (rule_of(settings).bodies[0].measure)
    refuse(
        "its rule measures whole tensors, and can't tell what the rows that it leaves out add; pass "
        ".to_dense()");
  if (settings.options.zero_grad)
    refuse("zero_grad=True would leave its rows in it, with zeros; pass zero_grad=False and set it to None");
  if (settings.rows == row_policy::lag) return;
  if (settings.weight_decay != 0)
    refuse("weight_decay would change the rows that it leaves out; pass weight_decay=0, or lazy_rows=True");
  if (settings.options.has_ema)
    refuse("ema would move the averages of the rows that it leaves out; pass ema=None, or lazy_rows=True");
}

void require_contiguous(const operand& visited, dtype format, const std::string& what) {
  if (visited.direct && visited.type == dtype::f16) return;
  throw py::value_error(what + " is kept in the format '" + format_of(format).name +
                        "', whose groups need contiguous arrays and dense gradients: pass a contiguous "
                        "parameter, or .to_dense()");
}

void refuse_changed_rows(int index) {
  throw py::value_error("the gradient of parameter " + std::to_string(index) +
                        " has rows that do not fit it: its indices or values were changed in place after it "
                        "was made, make a new one");
}

void refuse_lagging_rows(int index) {
  throw py::value_error("rows of parameter " + std::to_string(index) +
                        " lag behind its sparse gradients: call catch_up() before another kind of step");
}

void refuse_overlap(const std::vector<array_view>& views, const std::vector<array_role>& roles,
                    const std::vector<bool>& written) {
  std::vector<touched_array> arrays;
  for (size_t i = 0; i < views.size(); ++i) arrays.emplace_back(views[i], written[i]);
  const auto found = find_sharing(arrays);
  if (!found) return;
  const std::string first = roles[size_t(found->first)].text(), second = roles[size_t(found->second)].text();
  if (found->unsure) refuse_unsure(first, second);
  if (found->first == found->second) refuse_repeated(first);
  throw py::value_error(first + " and " + second + " share memory: pass each element once");
}

}  // namespace gradstep
