#include "device_engine.h"

#include <stdexcept>
#include <string>

#include "without_gil.h"

namespace py = pybind11;

namespace gradstep {

device_engine::device_engine(const py::capsule& capsule, int device)
    : engine_(static_cast<const engine*>(PyCapsule_GetPointer(capsule.ptr(), engine_capsule))),
      device_(device) {
  if (!engine_) throw py::error_already_set();
  if (engine_->version != engine_version)
    throw std::runtime_error("the engine '" + std::string(engine_->name) +
                             "' was built with another version of gradstep: build and install them together");
  if (device < 0 || device >= engine_->device_count)
    throw py::value_error("the engine '" + std::string(engine_->name) + "' finds " +
                          std::to_string(engine_->device_count) + " devices, and none with the number " +
                          std::to_string(device));
}

bool device_engine::is_capturing(void* stream) const {
  bool answer = false;
  check(engine_->is_capturing(&answer, stream));
  return answer;
}

void device_engine::wait(void* stream) const {
  const char* error = nullptr;
  without_gil([&] { error = engine_->wait(stream); });
  check(error);
}

void device_engine::fetch(void* to, const void* from, size_t bytes, void* stream) const {
  const char* error = nullptr;
  without_gil([&] { error = engine_->fetch(to, from, bytes, stream); });
  check(error);
}

void device_engine::fail(const char* error) const {
  throw std::runtime_error("the engine '" + std::string(engine_->name) + "' failed on " + where().text() +
                           ": " + error);
}

selected_device::selected_device(const device_engine& on) : on_(on) {
  on_.check(on_->select(on_.where().id, &before_));
}

selected_device::~selected_device() {
  int ours;
  on_->select(before_, &ours);
}

template <memory_kind kind>
device_memory<kind>::device_memory(const device_engine& on, size_t bytes)
    : release_(kind == memory_kind::pinned ? on->release_pinned : on->release), size_(bytes) {
  const auto allocate = kind == memory_kind::pinned ? on->allocate_pinned : on->allocate;
  void* memory = nullptr;
  on.check(allocate(&memory, bytes));
  data_ = static_cast<char*>(memory);
}

template <memory_kind kind>
device_memory<kind>::~device_memory() {
  if (data_) release_(data_);  // a refusal can't be helped here: the process may be ending
}

template class device_memory<memory_kind::on_device>;
template class device_memory<memory_kind::pinned>;

}  // namespace gradstep
