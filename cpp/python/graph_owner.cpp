#include "python/graph_owner.h"

#include <atomic>
#include <memory>
#include <utility>

namespace py = pybind11;

namespace gradstep {

namespace {

struct graph_owner {
  PyObject* kept;
  graph_owner* next = nullptr;  // among those whose graphs are destroyed
};

std::atomic<graph_owner*> without_graph = nullptr;

int drop_owners(void*) {
  for (graph_owner* each = without_graph.exchange(nullptr); each;) {
    const std::unique_ptr<graph_owner> owner(each);
    each = owner->next;
    Py_DECREF(owner->kept);
  }
  return 0;
}

// On any thread, without the interpreter's lock. Where the queue of calls is full, a later call drops it too.
void release(void* owner) {
  if (!Py_IsInitialized()) return;
  auto* const released = static_cast<graph_owner*>(owner);
  released->next = without_graph.load();
  while (!without_graph.compare_exchange_weak(released->next, released)) {
  }
  Py_AddPendingCall(drop_owners, nullptr);
}

}  // namespace

void keep_in_graph(const device_engine& on, void* stream, py::object kept) {
  std::unique_ptr<graph_owner> owner(new graph_owner{kept.ptr()});
  on.check(on->keep_in_graph(stream, owner.get(), release));
  owner.release();
  kept.release();  // the owner's now
}

}  // namespace gradstep
