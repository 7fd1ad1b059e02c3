#include "python/host_stepper.h"

#include "plan/rule_reductions.h"
#include "python/autograd.h"
#include "python/whole_writes.h"

namespace py = pybind11;

namespace gradstep {

py::list host_stepper::step(const step_arguments& given, const step_books& books,
                            const earlier_step<host_stepper>& before) {
  read_step<host_stepper> objects(*this, given, before);
  if (objects.lacks_states()) return objects.unbound;
  const whole_writes together;
  if (before.by && !before.by->plan_.decide(before.given.groups, before.given.options)) {
    plan_.skip();
    skip(given, books);
    return py::list();
  }
  const bool needs_sums = needs_gradient_norm(given.groups, given.options) ||
                          has_rule_reductions(given.groups) || has_matrix_reductions(given.groups);
  if (before.by && needs_sums)
    update_after_sums(given, books, before);
  else if (plan_.decide(given.groups, given.options))
    update(given, books, before);
  else
    skip(given, books);
  return py::list();
}

py::list host_stepper::read(const step_arguments& given, owners& keep) {
  py::list unbound = read_all(given, keep);
  list_parameters();
  plan_.cut(given.options.threads);
  plan_.reserve(given.groups, given.options);
  return unbound;
}

// Everything that can fail comes first. Then the update is counted and written, with no chance for a signal
// in between, so no code can see half of it.
void host_stepper::update(const step_arguments& given, const step_books& books,
                          const earlier_step<host_stepper>& before) {
  if (before.by) before.by->count_update(before.given, {});
  count_update(given, books);
  if (before.by) before.by->write(before.given, {});
  write(given, books);
}

// If the update depends on sums over arrays that the earlier step writes, that step is written before it is
// known whether there is an update. Here too, everything that can fail comes first: an update is counted, and
// the count is taken back if it is skipped.
void host_stepper::update_after_sums(const step_arguments& given, const step_books& books,
                                     const earlier_step<host_stepper>& before) {
  before.by->count_update(before.given, {});
  counted_ahead counted(*this, given, books);
  before.by->write(before.given, {});
  if (plan_.decide(given.groups, given.options)) {
    plan_.prepare(given.groups, given.options);
    counted.keep();
    write(given, books);
  } else {
    counted.skip();
    plan_.zero_gradients();
  }
}

void host_stepper::count_update(const step_arguments& given, const step_books& books) {
  plan_.prepare(given.groups, given.options);
  count(given, books.updated, true);
}

// The rows catch up last, after the whole update: that is a separate write, which may fail.
void host_stepper::write(const step_arguments& given, const step_books& books) {
  plan_.write();
  plan_.take_report(given.groups, given.options);
  books.updated.write_norm(report().gradient_norm);
  apply_missed(plan_.full_of_updates(), py::none(), given.options.threads);
}

void host_stepper::skip(const step_arguments& given, const step_books& books) {
  count(given, books.skipped, false);
  plan_.zero_gradients();
}

void host_stepper::catch_up(const std::vector<int>& indices, const py::object& rows, int threads) {
  const step_guard guard(stepping_);
  std::vector<int> behind;
  for (const int index : indices)
    if (size_t(index) < tensors_.all.size() && tensors_[index].lazy.lag()) behind.push_back(index);
  apply_missed(behind, rows, threads);
}

void host_stepper::apply_missed(const std::vector<int>& indices, const py::object& rows, int threads) {
  if (indices.empty()) return;
  owners kept_alive;
  visit_lagging(indices, rows, kept_alive);
  const py::list written = parameters_of(indices);
  plan_.cut_rows(indices, threads);
  const whole_writes together;
  tell_autograd(written);
  plan_.apply_missed(indices, rows.is_none());
}

}  // namespace gradstep
