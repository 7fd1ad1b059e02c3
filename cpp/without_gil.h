// Work that needs nothing of Python, while other threads of Python go on.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <exception>

namespace gradstep {

// Until Python 3.14, a daemon thread that asks for the GIL of an interpreter that has ended is itself ended
// there, by an unwinding of its stack that must pass neither destructors (pybind11's own guard would end the
// process) nor references of ours, which need the GIL. It rests instead until the process ends.
inline void take_gil(PyThreadState* thread) {
  try {
    PyEval_RestoreThread(thread);
  } catch (...) {  // the unwinding, which is no exception of C++
    for (;;) pause();
  }
}

template <class F>
void without_gil(const F& work) {
  PyThreadState* const thread = PyEval_SaveThread();
  std::exception_ptr failure;
  try {
    work();
  } catch (...) {
    failure = std::current_exception();
  }
  take_gil(thread);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace gradstep
