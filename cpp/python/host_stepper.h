// The step of an optimizer whose tensors are in the host's memory: their objects read, then the plan's step.
#pragma once

#include <pybind11/cast.h>

#include <vector>

#include "plan/host_plan.h"
#include "python/bindings.h"

namespace gradstep {

class host_stepper : public bindings {
 public:
  host_stepper() : bindings(host_memory, true) {}
  host_stepper(const host_stepper&) = delete;  // its plan holds on to its tensors

  // One step, and before it one of another stepper whose parameters are this one's gradients. Where tensors
  // have no states yet it writes nothing and returns their indices, to be bound when it is called again; else
  // it returns an empty list. An exception of any kind leaves all as it was.
  pybind11::list step(const step_arguments& given, const step_books& books,
                      const earlier_step<host_stepper>& before);

  // Applies what these rows of the tensors, or all for None, have missed while their sparse gradients left
  // them out.
  void catch_up(const std::vector<int>& indices, const pybind11::object& rows, int threads);

  const step_report& report() const { return plan_.report(); }
  bool skipped() const { return report().skipped; }

 private:
  friend class read_step<host_stepper>;
  pybind11::list read(const step_arguments& given, owners& keep);
  void update(const step_arguments& given, const step_books& books, const earlier_step<host_stepper>& before);
  void update_after_sums(const step_arguments& given, const step_books& books,
                         const earlier_step<host_stepper>& before);
  void count_update(const step_arguments& given, const step_books& books);
  void write(const step_arguments& given, const step_books& books);
  void skip(const step_arguments& given, const step_books& books);
  void apply_missed(const std::vector<int>& indices, const pybind11::object& rows, int threads);

  host_plan plan_{tensors_};
};

}  // namespace gradstep
