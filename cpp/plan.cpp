#include "plan.h"

#include <algorithm>

#include "dispatch.h"
#include "measuring.h"
#include "sharing.h"

namespace py = pybind11;

namespace gradstep {

namespace {

constexpr size_t longest_history = 1000;  // of updates that are kept for rows that lag

// Marks a plan as stepping for as long as it lives.
class step_guard {
 public:
  explicit step_guard(bool& stepping) : stepping_(stepping) {
    if (stepping)
      throw std::runtime_error(
          "this optimizer is already stepping in another thread: give each thread its own optimizer, or a "
          "lock");
    stepping_ = true;
  }
  ~step_guard() { stepping_ = false; }

 private:
  bool& stepping_;
};

py::object gradient_of(py::handle parameter, const py::object& gradients, int index) {
  static const py::handle grad = PyUnicode_InternFromString("grad");
  if (!gradients.is_none()) return py::reinterpret_borrow<py::object>(PyList_GetItem(gradients.ptr(), index));
  PyObject* const found = PyObject_GetAttr(parameter.ptr(), grad.ptr());
  if (!found) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(found);
}

bool must_measure(const std::vector<group_settings>& groups, const step_settings& options) {
  const auto clips = [](const group_settings& group) { return group.around.clip_norm != no_limit; };
  return options.skip_nonfinite ||
         (options.known_norm < 0 && std::any_of(groups.begin(), groups.end(), clips));
}

}  // namespace

void plan::bind(int index, py::dict state, const state_names& names, bool fresh) {
  const step_guard guard(stepping_);
  bound_ = moved_ = true;
  slots_.at(size_t(index)).bind(std::move(state), names, fresh, index);
}

py::list plan::step(const py::list& parameters, const py::object& gradients, const py::object& states,
                    const std::vector<group_settings>& groups, const step_settings& options) {
  const step_guard guard(stepping_);
  refuse_unlike_groups(groups);
  if (!bound_ && !states_seen_.match(states))
    for (slot& each : slots_) each.forget_states();
  std::vector<py::object> kept_alive;
  kept_alive.reserve(slots_.size());
  const py::list unbound = read_all(parameters, gradients, groups, kept_alive);
  refuse_shared_zeroed(slots_, active_, zeroed(groups));
  cut(options.threads);

  report_ = {};
  const bool measured = must_measure(groups, options);
  if (measured) measure(options);
  report_.skipped = options.skip || (options.skip_nonfinite && report_.nonfinite > 0);
  if (report_.skipped) {
    zero_gradients(groups);
    return py::list();
  }
  if (!unbound.empty()) return unbound;
  update(groups, options, shrinkage(groups, options), measured);
  for (const int index : active_)
    if (slots_[size_t(index)].history.steps.size() >= longest_history)
      replay(index, py::none(), options.threads);
  if (bound_) states_seen_.remember(states);
  bound_ = false;
  return unbound;
}

py::list plan::read_all(const py::list& parameters, const py::object& gradients,
                        const std::vector<group_settings>& groups, std::vector<py::object>& keep) {
  const target& on = active_target();
  py::list unbound;
  int index = 0;
  active_.clear();
  group_of_active_.clear();
  tasks_.clear();
  for (size_t group = 0; group < groups.size(); ++group) {
    const int states = on.rules[groups[group].rule].states;
    if (groups[group].around.cautious && on.rules[groups[group].rule].writes_parameter)
      throw py::value_error("cautious decay looks at the update's direction, and the rule '" +
                            std::string(on.rules[groups[group].rule].name) +
                            "' has none: pass cautious=False");
    for (const py::handle parameter : py::reinterpret_borrow<py::list>(parameters[group])) {
      if (size_t(index) == slots_.size()) slots_.emplace_back();
      const py::object gradient = gradient_of(parameter, gradients, index);
      if (!gradient.is_none()) {
        slot& tensor = slots_[size_t(index)];
        // Remembered until the next cut: a later refusal in this step must not hide it from the next one.
        moved_ |= tensor.read(parameter, gradient, index, groups[group].rows, keep);
        if (tensor.row_dimensions) tensor.refuse_beside_rows(groups[group], index);
        if (!tensor.holds_its_states(states, groups[group])) unbound.append(index);
        active_.push_back(index);
        group_of_active_.push_back(int(group));
        tasks_.push_back(&tensor.task);
      }
      ++index;
    }
  }
  slots_.resize(size_t(index));
  if (moved_ || tasks_ != chunks_.tasks()) refuse_shared(slots_, active_);
  return unbound;
}

// The tensors whose gradients are to be filled with zeros.
std::vector<int> plan::zeroed(const std::vector<group_settings>& groups) const {
  std::vector<int> found;
  for (size_t i = 0; i < active_.size(); ++i)
    if (groups[size_t(group_of_active_[i])].around.zero_gradient) found.push_back(active_[i]);
  return found;
}

void plan::cut(int threads) {
  const bool same = !moved_ && tasks_ == chunks_.tasks();
  chunks_.cut(tasks_, moved_, threads);
  moved_ = false;
  if (same) return;
  written_ = py::list();
  for (const int index : active_) written_.append(slots_[size_t(index)].parameter);
}

std::vector<const prepared*> plan::prepare(const std::vector<group_settings>& groups,
                                           const step_settings& options, const std::vector<double>& shrink,
                                           bool measured) {
  preparation_.restart();
  std::vector<const prepared*> steps;
  steps.reserve(active_.size());
  for (size_t i = 0; i < active_.size(); ++i) {
    slot& tensor = slots_[size_t(active_[i])];
    const int group = group_of_active_[i];
    steps.push_back(&preparation_.prepare(tensor, group, groups[size_t(group)], options,
                                          shrink[size_t(group)], measured));
    tensor.task.step = &steps.back()->step;
  }
  return steps;
}

void plan::update(const std::vector<group_settings>& groups, const step_settings& options,
                  const std::vector<double>& shrink, bool measured) {
  if (rule_measures(groups)) {
    prepare(groups, options, shrink, measured);
    measure_rules(slots_, active_, chunks_);
  }
  const std::vector<const prepared*> steps = prepare(groups, options, shrink, measured);
  const target& on = active_target();
  chunks_.run([&](const chunk& each) { update_run(on, *each.task, each.first, each.count); });
  for (size_t i = 0; i < active_.size(); ++i) slots_[size_t(active_[i])].advance(steps[i]->after);
  if (!options.measure) return;
  for (const int index : active_) slots_[size_t(index)].released = total(slots_[size_t(index)].task);
  report_measured(chunks_.total());
}

void plan::zero_gradients(const std::vector<group_settings>& groups) {
  for (const int index : zeroed(groups)) {
    const tensor_task& task = slots_[size_t(index)].task;
    zero_run(task, 0, task.size);
  }
}

void plan::catch_up(int index, const py::object& rows, int threads) {
  const step_guard guard(stepping_);
  written_ = py::list();
  moved_ = true;
  if (index >= int(slots_.size()) || !slots_[size_t(index)].lags()) return;
  replay(index, rows, threads);
  written_.append(slots_[size_t(index)].parameter);
}

void plan::replay(int index, const py::object& rows, int threads) {
  slot& tensor = slots_[size_t(index)];
  std::vector<py::object> kept_alive;
  tensor.visit_lagging(rows, index, kept_alive);
  moved_ = true;
  chunks_.cut({&tensor.task}, moved_, threads);
  const target& on = active_target();
  chunks_.run([&](const chunk& each) { replay_run(on, *each.task, each.first, each.count); });
  tensor.note_made();
  if (rows.is_none()) tensor.forget_history();
}

int plan::traverse(visitproc visit, void* arg) const {
  Py_VISIT(written_.ptr());
  for (const slot& each : slots_) {
    Py_VISIT(each.parameter.ptr());
    Py_VISIT(each.state.ptr());
    for (const py::object& member : each.members) Py_VISIT(member.ptr());
  }
  return 0;
}

void plan::clear() {
  slots_.clear();
  active_.clear();
  tasks_.clear();
  written_ = py::list();
}

}  // namespace gradstep
