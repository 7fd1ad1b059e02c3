#include "python/whole_writes.h"

#include <pthread.h>
#include <pybind11/cast.h>
#include <unistd.h>

#include "python/foreign_code.h"
#include "step/caller_lock.h"

namespace py = pybind11;

namespace gradstep {

namespace {

// Counts of all threads, and of this one, which does not wait for its own writes. The GIL guards them.
int writing = 0, forking = 0;
thread_local int writing_here = 0, forking_here = 0;

template <class Condition>
void wait_while(const Condition& condition) {
  constexpr useconds_t pause = 50;
  while (condition()) unlocked([] { usleep(pause); });
}

void begin_fork() {
  ++forking;
  ++forking_here;
  wait_while([] { return writing > writing_here; });
}

void end_fork() {
  --forking;
  --forking_here;
}

void end_fork_in_child() {
  end_fork();
  no_garbage_collection::end_pauses_of_other_threads();
}

template <void (*call)()>
PyObject* called(PyObject*, PyObject*) {
  call();
  Py_RETURN_NONE;
}

// They have stayed behind in the parent.
void forget_other_threads() {
  writing = writing_here;
  forking = forking_here;
}

}  // namespace

whole_writes::whole_writes() {
  wait_while([] { return forking > forking_here; });
  ++writing;
  ++writing_here;
}

whole_writes::~whole_writes() {
  --writing;
  --writing_here;
}

void let_forks_wait() {
  static PyMethodDef calls[] = {{"begin_fork", called<begin_fork>, METH_NOARGS, nullptr},
                                {"end_fork", called<end_fork>, METH_NOARGS, nullptr},
                                {"end_fork_in_child", called<end_fork_in_child>, METH_NOARGS, nullptr}};
  pthread_atfork(nullptr, nullptr, forget_other_threads);
  const auto checked = [](PyObject* made) {
    if (!made) throw py::error_already_set();
    return py::reinterpret_steal<py::object>(made);
  };
  const auto function = [&](int k) { return checked(PyCFunction_New(&calls[k], nullptr)); };
  checked(PyImport_ImportModule("os"))
      .attr("register_at_fork")(py::arg("before") = function(0), py::arg("after_in_parent") = function(1),
                                py::arg("after_in_child") = function(2));
}

}  // namespace gradstep
