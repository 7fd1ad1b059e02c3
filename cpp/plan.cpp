#include "plan.h"

#include <algorithm>
#include <atomic>

#include "dispatch.h"
#include "threads.h"

namespace py = pybind11;

namespace gradstep {

namespace {

constexpr int64_t leaf = 4096;                  // chunks start at multiples of a reduction's leaf
constexpr int64_t largest_chunk = 1 << 22;      // in bytes of all its arrays
constexpr int64_t serial_elements = 16 * leaf;  // below this, waking a thread costs more than it saves

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

// `numbers` are the views' places among all parameters.
void refuse_overlap(const std::vector<array_view>& views, const std::vector<int>& numbers) {
  const auto [first, second] = find_overlap(views);
  if (first < 0) return;
  const std::string name = "parameter " + std::to_string(numbers[size_t(first)]);
  if (first == second)
    throw py::value_error(
        name + " overlaps itself (an expanded or sliding view): pass a copy, or the array that it views");
  throw py::value_error(name + " and parameter " + std::to_string(numbers[size_t(second)]) +
                        " share memory: pass each element once");
}

py::object gradient_of(py::handle parameter, const py::object& gradients, int index) {
  static const py::handle grad = PyUnicode_InternFromString("grad");
  if (!gradients.is_none()) return py::reinterpret_borrow<py::object>(PyList_GetItem(gradients.ptr(), index));
  PyObject* const found = PyObject_GetAttr(parameter.ptr(), grad.ptr());
  if (!found) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(found);
}

bool same_time(const clock& a, const clock& b) {
  return a.t == b.t && a.fresh == b.fresh && std::equal(a.kept, a.kept + kept_limit, b.kept);
}

}  // namespace

void plan::bind(int index, py::dict state, const std::vector<std::string>& arrays,
                const std::vector<std::string>& numbers, bool fresh) {
  const step_guard guard(stepping_);
  bound_ = true;
  slots_.at(size_t(index)).bind(std::move(state), arrays, numbers, fresh, index);
}

py::list plan::step(const py::list& parameters, const py::object& gradients, const py::object& states,
                    const std::vector<group_settings>& groups, int threads) {
  const step_guard guard(stepping_);
  if (!bound_ && !states_seen_.match(states))
    for (slot& each : slots_) each.forget_states();
  std::vector<py::object> kept_alive;
  kept_alive.reserve(slots_.size());
  const py::list unbound = read_all(parameters, gradients, groups, kept_alive);
  if (!unbound.empty()) return unbound;

  prepared_.clear();
  std::vector<const prepared*> steps;
  steps.reserve(active_.size());
  int64_t elements = 0;
  for (size_t i = 0; i < active_.size(); ++i) {
    slot& tensor = slots_[size_t(active_[i])];
    steps.push_back(&prepare(tensor, group_of_active_[i], groups[size_t(group_of_active_[i])]));
    tensor.task.step = &steps.back()->step;
    elements += tensor.size;
  }
  if (elements < serial_elements) threads = 1;
  cut(threads);
  run(threads);
  for (size_t i = 0; i < active_.size(); ++i) slots_[size_t(active_[i])].advance(steps[i]->after);
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
  for (size_t group = 0; group < groups.size(); ++group) {
    const int states = on.rules[groups[group].rule].states;
    for (const py::handle parameter : py::reinterpret_borrow<py::list>(parameters[group])) {
      if (size_t(index) == slots_.size()) slots_.emplace_back();
      const py::object gradient = gradient_of(parameter, gradients, index);
      if (!gradient.is_none()) {
        slot& tensor = slots_[size_t(index)];
        // Remembered until the next cut: a later refusal in this step must not hide it from the next one.
        moved_ |= tensor.read(parameter, gradient, index, keep);
        if (!tensor.holds_its_states(states)) unbound.append(index);
        active_.push_back(index);
        group_of_active_.push_back(int(group));
      }
      ++index;
    }
  }
  slots_.resize(size_t(index));
  if (moved_ || active_ != cut_tensors_) refuse_overlap_of_active();
  return unbound;
}

void plan::refuse_overlap_of_active() const {
  std::vector<array_view> views;
  for (const int each : active_) views.push_back(slots_[size_t(each)].view);
  refuse_overlap(views, active_);
}

const plan::prepared& plan::prepare(slot& tensor, int group, const group_settings& settings) {
  clock now = tensor.now();
  now.lr = now.rate = settings.lr;
  now.keep = settings.decoupled ? 1 - settings.lr * settings.weight_decay : 1;
  const arithmetic type = tensor.view.type == dtype::f64 ? arithmetic::f64 : arithmetic::f32;
  if (!prepared_.empty()) {
    const prepared& last = prepared_.back();
    if (last.group == group && last.step.type == type && same_time(last.before, now)) return last;
  }
  prepared& made = prepared_.emplace_back(prepared{group, now, now, {}});
  const rule_entry& rule = active_target().rules[settings.rule];
  constants& step = made.step;
  step.body = &rule.bodies[int(type)];
  step.type = type;
  step.body->prepare(settings.hypers.data(), made.after, step.rule);
  step.rate = made.after.rate;
  step.keep = made.after.keep;
  step.coupled_decay = settings.decoupled ? 0 : settings.weight_decay;
  step.maximize = settings.maximize;
  return made;
}

// Cuts the tensors into chunks of about the same number of bytes, for the threads to take one after the
// other: small enough to balance, large enough to stream.
void plan::cut(int threads) {
  if (!moved_ && cut_threads_ == threads && cut_tensors_ == active_) return;
  int64_t bytes = 0;
  for (const int index : active_)
    bytes += slots_[size_t(index)].size * slots_[size_t(index)].task.element_bytes();
  const int64_t chunk_bytes = threads > 1 ? std::min(largest_chunk, bytes / (threads * 16)) : largest_chunk;
  chunks_.clear();
  for (const int index : active_) {
    const slot& tensor = slots_[size_t(index)];
    const int64_t length = (chunk_bytes / tensor.task.element_bytes() / leaf + 1) * leaf;
    for (int64_t first = 0; first < tensor.size; first += length)
      chunks_.push_back({index, first, std::min(length, tensor.size - first)});
  }
  cut_tensors_ = active_;
  written_ = py::list();
  for (const int index : active_) written_.append(slots_[size_t(index)].parameter);
  cut_threads_ = threads;
  moved_ = false;
}

void plan::run(int threads) {
  struct shared {
    plan& self;
    const target& on;
    std::atomic<size_t> next = 0;
  } work = {*this, active_target()};
  const auto body = [](void* data) {
    shared& work = *static_cast<shared*>(data);
    const auto& chunks = work.self.chunks_;
    for (size_t i; (i = work.next.fetch_add(1, std::memory_order_relaxed)) < chunks.size();)
      update_run(work.on, work.self.slots_[size_t(chunks[i].tensor)].task, chunks[i].first, chunks[i].count);
  };
  const py::gil_scoped_release released;
  run_parallel(threads, body, &work);
}

void check_parameters(const py::list& parameters) {
  std::vector<array_view> views;
  std::vector<int> numbers;
  std::vector<py::object> owners;
  for (const py::handle parameter : parameters) {
    numbers.push_back(int(numbers.size()));
    views.push_back(read_parameter(parameter, numbers.back(), owners));
    inspect_tensor(parameter, {"parameter", numbers.back()});
  }
  refuse_overlap(views, numbers);
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
  written_ = py::list();
}

int plan::gathered() const {
  int count = 0;
  for (const int index : active_) {
    const tensor_task& task = slots_[size_t(index)].task;
    bool direct = task.parameter.direct && task.gradient.direct;
    for (int k = 0; k < task.state_count; ++k) direct &= task.states[k].direct;
    count += !direct;
  }
  return count;
}

}  // namespace gradstep
