#include "python/gil.h"

#include <pybind11/cast.h>
#include <unistd.h>

#include "step/caller_lock.h"

namespace gradstep {

namespace {

// Until Python 3.14, a daemon thread that asks for the GIL of an interpreter that has ended is itself ended
// there, by an unwinding of its stack that must pass neither destructors (pybind11's own guard would end the
// process) nor references of ours, which need the GIL. It rests instead until the process ends.
void take_gil(void* thread) {
  try {
    PyEval_RestoreThread(static_cast<PyThreadState*>(thread));
  } catch (...) {  // the unwinding, which is no exception of C++
    for (;;) pause();
  }
}

void* release_gil() { return PyEval_SaveThread(); }

}  // namespace

void let_core_release_gil() { set_caller_lock({release_gil, take_gil}); }

}  // namespace gradstep
