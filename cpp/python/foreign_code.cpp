#include "python/foreign_code.h"

#include <stdexcept>

namespace py = pybind11;

namespace gradstep {

namespace {

uint64_t foreign_call_count = 0;

// The pauses that have switched the collector off, in all threads and in this one; the GIL guards them.
int pauses = 0;
thread_local int pauses_here = 0;

}  // namespace

uint64_t foreign_calls() { return foreign_call_count; }
void count_foreign_call() { ++foreign_call_count; }

void refuse_moving() {
  throw std::runtime_error(
      "arrays are moved by code that runs while they are read (a finalizer, a property, a __dlpack__): let "
      "it "
      "leave them where they are until the call is made");
}

void clear_refusal() {
  if (!PyErr_ExceptionMatches(PyExc_Exception)) throw py::error_already_set();
  PyErr_Clear();
}

no_garbage_collection::no_garbage_collection() : was_on_(PyGC_Disable() != 0) {
  pauses += was_on_;
  pauses_here += was_on_;
}

no_garbage_collection::~no_garbage_collection() {
  pauses -= was_on_;
  pauses_here -= was_on_;
  if (was_on_) PyGC_Enable();
}

void no_garbage_collection::end_pauses_of_other_threads() {
  if (pauses > pauses_here && pauses_here == 0) PyGC_Enable();
  pauses = pauses_here;
}

}  // namespace gradstep
